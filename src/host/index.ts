export { readOnlineCpus } from "./cpus.ts";
export { type DiscoverOptions, discoverHost, type HostNeeds } from "./discover.ts";
export { readFirmware } from "./firmware.ts";
export type { Holding, Ledger } from "./ledger.ts";
export { readNodes } from "./nodes.ts";
export { readFunctionAcs, readPci } from "./pci.ts";
export type { AcsAt } from "./pci-config.ts";
export { findQemu, type QemuBinary } from "./qemu-binary.ts";
export type {
  FirmwareImage,
  Host,
  HostCpu,
  HostNode,
  HugepagePool,
  IommuFacts,
  KvmFacts,
  MachineType,
  PciBar,
  PciFunction,
  Processor,
  QemuFacts,
  QemuVersion,
} from "./topology.ts";
