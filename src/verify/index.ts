export { GuestDevices, type PlannedPlace } from "./guest-devices.ts";
export { probePort } from "./report.ts";
export type { Row } from "./row.ts";
export { describeDifferences, type Verification, verifyVm } from "./verify.ts";
