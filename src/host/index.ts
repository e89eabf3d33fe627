export { discoverHost } from "./discover.ts";
export type { Holding, Ledger } from "./ledger.ts";
export { readSnapshot, writeSnapshot } from "./snapshot.ts";
export type {
  Host,
  HostCpu,
  HostNode,
  HugepagePool,
  KvmFacts,
  MachineType,
  Processor,
  QemuFacts,
  QemuVersion,
} from "./topology.ts";
