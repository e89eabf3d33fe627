export type { Row } from "./row.ts";
export { type Verification, verifyVm } from "./verify.ts";
