/**
 * qlaunch as a library: plan, check and start VMs, and work with those that run. Everything throws QlaunchError for
 * what a user can mend; the diagnostics in it are what the command line prints.
 */
export { p2pTable, planArgv, planOptions, planShell } from "./actions/format-plan.ts";
export { type HostChoice, takeSnapshot } from "./actions/host.ts";
export { type Elsewhere, takeSnapshotElsewhere } from "./actions/host-elsewhere.ts";
export {
  addVmDevice,
  type DeviceOutcome,
  type DeviceRequest,
  type LiveDevice,
  listDevices,
  removeDevice,
} from "./actions/live-devices.ts";
export {
  addMemoryDevice,
  type LiveMemoryDevice,
  listMemoryDevices,
  type MemoryOutcome,
  type MemoryRequest,
  removeMemory,
  resizeMemoryDevice,
} from "./actions/live-memory.ts";
export {
  changeVcpus,
  type Drift,
  type SetVcpusOutcome,
  type VcpuRequest,
  vmDrift,
} from "./actions/live-vcpus.ts";
export { type NcclOutcome, type NcclRequest, predictTopology } from "./actions/nccl.ts";
export * from "./actions/operations.ts";
export { type Planned, type PlanRequest, planProfile } from "./actions/plan.ts";
export { type Rehearsal, type RehearsalRequest, rehearseProfile } from "./actions/rehearse.ts";
export { profileJsonSchema } from "./actions/schema.ts";
export { type Checked, checkProfile, runProfile, type StartRequest, startProfile } from "./actions/start.ts";
export { type Verification, verifyVm } from "./actions/verify.ts";
export * from "./actions/vm.ts";
export { type Code, codes, type Diagnostic, exitStatusOf, QlaunchError } from "./errors/index.ts";
export type { Event, EventSink } from "./events/event.ts";
export type { Host, IommuFacts, PciFunction } from "./host/index.ts";
export type { Decision, Placement, Plan } from "./plan/index.ts";
export type { P2pPair, P2pReason, P2pRoute } from "./plan/p2p.ts";
export type { P2pRelation } from "./plan/p2p-way.ts";
export type { Profile } from "./profile/index.ts";
export { realSystem, type System } from "./system/index.ts";
export type { LaunchedVm, VcpuThread, VmDetail, VmSummary } from "./vm/index.ts";
