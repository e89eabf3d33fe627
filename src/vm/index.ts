export { type AcsChange, applyAcs, restoreAcs } from "./acs/change.ts";
export { type AcsPort, checkMayWrite } from "./acs/control.ts";
export { type KeptControls, readKept } from "./acs/kept.ts";
export { attachConsole, type ConsoleStreams, withConsole } from "./console.ts";
export { pauseVm, resetVm, resumeVm } from "./control.ts";
export { type FollowOptions, followEvents } from "./events-follow.ts";
export { type FoundVm, findVm } from "./find.ts";
export { type RunRequest, runVm } from "./foreground.ts";
export { launchVm } from "./launch.ts";
export { readLedger, withLedgerLock } from "./ledger.ts";
export { type LogChoice, readVmLog } from "./logs.ts";
export type { PciTreeState } from "./pci-tree.ts";
export { preflight } from "./preflight/preflight.ts";
export { executeQmp } from "./qmp-command.ts";
export { keptUuid, listNames, type VmRecord } from "./record.ts";
export { TakenError } from "./reserve.ts";
export { ensureRunRoot, type Places, placesFor, runRoot } from "./run-root.ts";
export { type OpenVm, openVm, readPlan, requireRunning } from "./session.ts";
export { stopVm } from "./shutdown.ts";
export { describeVm, listVms, readVmPciTree } from "./status.ts";
export { listVcpuThreads } from "./threads.ts";
export type {
  LaunchedVm,
  LaunchRequest,
  RecordedCell,
  StopOptions,
  StoppedVm,
  VcpuThread,
  VmDetail,
  VmState,
  VmSummary,
} from "./types.ts";
export { bindByHand, type DriverChange, unbindByHand } from "./vfio/by-hand.ts";
