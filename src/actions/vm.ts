/** What is done to VMs that run; each is one job of the vm room. */
export {
  attachConsole,
  describeVm,
  executeQmp,
  followEvents,
  listVcpuThreads,
  listVms,
  pauseVm,
  readVmLog,
  resetVm,
  resumeVm,
  stopVm,
} from "../vm/index.ts";
