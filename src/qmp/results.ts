/** What the queries of commands.ts return. Sizes and addresses are bytes. */

/** @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#enum-QMP-run-state.RunState */
export type RunState =
  | "debug"
  | "inmigrate"
  | "internal-error"
  | "io-error"
  | "paused"
  | "postmigrate"
  | "prelaunch"
  | "finish-migrate"
  | "restore-vm"
  | "running"
  | "save-vm"
  | "shutdown"
  | "suspended"
  | "watchdog"
  | "guest-panicked"
  | "colo";

export type WatchdogAction = "reset" | "shutdown" | "poweroff" | "pause" | "debug" | "none" | "inject-nmi";

export type HostMemoryPolicy = "default" | "preferred" | "bind" | "interleave";

export interface VersionInfo {
  qemu: { major: number; minor: number; micro: number };
  package: string;
}

export interface MachineInfo {
  name: string;
  alias?: string;
  "is-default"?: boolean;
  "cpu-max": number;
  "hotpluggable-cpus": boolean;
  "numa-mem-supported": boolean;
  deprecated: boolean;
  "default-cpu-type"?: string;
  "default-ram-id"?: string;
}

export interface CommandLineOptionInfo {
  option: string;
  parameters: {
    name: string;
    type: "string" | "boolean" | "number" | "size";
    help?: string;
    default?: string;
  }[];
}

/** Where a vCPU is in the guest's topology. */
export interface CpuInstanceProperties {
  "node-id"?: number;
  "socket-id"?: number;
  "die-id"?: number;
  "cluster-id"?: number;
  "core-id"?: number;
  "thread-id"?: number;
}

export interface CpuInfoFast {
  "cpu-index": number;
  "qom-path": string;
  /** The host's thread id. */
  "thread-id": number;
  props?: CpuInstanceProperties;
  target: string;
}

export interface HotpluggableCpu {
  /** The `driver` for `device_add`. */
  type: string;
  "vcpus-count": number;
  props: CpuInstanceProperties;
  /** Present when the CPU is plugged. */
  "qom-path"?: string;
}

export interface CpuDefinitionInfo {
  name: string;
  "migration-safe"?: boolean;
  static: boolean;
  "unavailable-features"?: string[];
  typename: string;
  "alias-of"?: string;
  deprecated: boolean;
}

export interface IoThreadInfo {
  id: string;
  /** The host's thread id. */
  "thread-id": number;
  "poll-max-ns": number;
  "poll-grow": number;
  "poll-shrink": number;
  "aio-max-batch": number;
}

export interface MemdevInfo {
  id?: string;
  size: number;
  merge: boolean;
  dump: boolean;
  prealloc: boolean;
  share: boolean;
  reserve?: boolean;
  "host-nodes": number[];
  policy: HostMemoryPolicy;
}

export interface PcDimmInfo {
  id?: string;
  addr: number;
  size: number;
  slot: number;
  node: number;
  memdev: string;
  hotplugged: boolean;
  hotpluggable: boolean;
}

export interface VirtioMemInfo {
  id?: string;
  memaddr: number;
  "requested-size": number;
  size: number;
  "max-size": number;
  "block-size": number;
  node: number;
  memdev: string;
}

export interface VirtioPmemInfo {
  id?: string;
  memaddr: number;
  size: number;
  memdev: string;
}

export interface SgxEpcInfo {
  id?: string;
  memaddr: number;
  size: number;
  node: number;
  memdev: string;
}

export interface HvBalloonDeviceInfo {
  id?: string;
  memaddr?: number;
  "max-size": number;
  memdev?: string;
}

export type MemoryDeviceInfo =
  | { type: "dimm"; data: PcDimmInfo }
  | { type: "nvdimm"; data: PcDimmInfo }
  | { type: "virtio-pmem"; data: VirtioPmemInfo }
  | { type: "virtio-mem"; data: VirtioMemInfo }
  | { type: "sgx-epc"; data: SgxEpcInfo }
  | { type: "hv-balloon"; data: HvBalloonDeviceInfo };

/** The guest's word about a hotplug, by ACPI's _OST. Status 0 does not prove success. */
export interface AcpiOstInfo {
  device?: string;
  slot: string;
  "slot-type": "DIMM" | "CPU";
  source: number;
  status: number;
}

export interface ObjectPropertyInfo {
  name: string;
  type: string;
  description?: string;
  "default-value"?: unknown;
}

export interface ObjectTypeInfo {
  name: string;
  abstract?: boolean;
  parent?: string;
}

export interface PciInfo {
  bus: number;
  devices: PciDeviceInfo[];
}

export interface PciDeviceInfo {
  bus: number;
  slot: number;
  function: number;
  class_info: { desc?: string; class: number };
  id: { device: number; vendor: number; subsystem?: number; "subsystem-vendor"?: number };
  irq?: number;
  irq_pin: number;
  /** Empty when the device was given no id. */
  qdev_id: string;
  pci_bridge?: { bus: PciBusInfo; devices?: PciDeviceInfo[] };
  regions: PciMemoryRegion[];
}

/** Until the firmware has run, all numbers are 0; a range whose base is above its limit is closed. */
export interface PciBusInfo {
  number: number;
  secondary: number;
  subordinate: number;
  io_range: PciMemoryRange;
  memory_range: PciMemoryRange;
  prefetchable_range: PciMemoryRange;
}

export interface PciMemoryRange {
  base: number;
  limit: number;
}

export interface PciMemoryRegion {
  bar: number;
  type: string;
  /** -1 when the BAR is not mapped. */
  address: number;
  size: number;
  prefetch?: boolean;
  mem_type_64?: boolean;
}

export type RxState = "normal" | "none" | "all";

export interface RxFilterInfo {
  name: string;
  promiscuous: boolean;
  multicast: RxState;
  unicast: RxState;
  vlan: RxState;
  "broadcast-allowed": boolean;
  "multicast-overflow": boolean;
  "unicast-overflow": boolean;
  "main-mac": string;
  "vlan-table": number[];
  "unicast-table": string[];
  "multicast-table": string[];
}
