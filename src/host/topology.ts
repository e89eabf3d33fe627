/**
 * The host as a value. Planning reads only this, so a plan made from a snapshot equals the one made on the machine.
 * `qlaunch host snapshot` writes it as JSON; test/hosts/ holds recorded ones.
 */
export interface Host {
  /** Format of the snapshot. */
  readonly version: 1;
  readonly processor: Processor;
  /** Every CPU that the kernel lists as present, by id. */
  readonly cpus: readonly HostCpu[];
  /** Every online NUMA node, by id; ids need not be consecutive. A kernel without NUMA counts as one node 0. */
  readonly nodes: readonly HostNode[];
  readonly kvm: KvmFacts;
  /** Absent in a snapshot taken where no QEMU was installed. */
  readonly qemu?: QemuFacts;
  /** UEFI images by preference; absent when nobody asked for them. */
  readonly firmware?: readonly FirmwareImage[];
}

/** An OVMF build. @see https://www.qemu.org/docs/master/interop/firmware.html */
export interface FirmwareImage {
  readonly code: string;
  /** Template of the variable store. */
  readonly vars: string;
  readonly secureBoot: boolean;
}

export interface Processor {
  /** As CPUID spells it: GenuineIntel, AuthenticAMD. */
  readonly vendor: string;
  readonly model: string;
  /** Width of physical addresses, from /proc/cpuinfo "address sizes". */
  readonly physicalAddressBits: number;
}

/** @see https://docs.kernel.org/admin-guide/cputopology.html */
export interface HostCpu {
  readonly id: number;
  readonly online: boolean;
  /** The fields below are -1, and the siblings empty, for an offline CPU: the kernel hides its topology. */
  readonly node: number;
  readonly socket: number;
  readonly die: number;
  readonly core: number;
  /** CPUs on the same core, itself among them, by id. */
  readonly siblings: readonly number[];
  /** Taken from the scheduler by isolcpus=. */
  readonly isolated: boolean;
}

/** @see https://docs.kernel.org/admin-guide/mm/numaperf.html */
export interface HostNode {
  readonly id: number;
  /** Online CPUs, by id. Empty for a memory-only node. */
  readonly cpus: readonly number[];
  /** 0 for a node without memory. */
  readonly memoryBytes: number;
  /** Free now, page cache not counted. */
  readonly freeBytes: number;
  /** Page cache and kernel caches, given up when memory is asked for. Absent where nobody told. */
  readonly reclaimableBytes?: number;
  readonly hugepages: readonly HugepagePool[];
  /** To each node of `Host.nodes`, in that order; 10 is itself. */
  readonly distances: readonly number[];
}

/** @see https://docs.kernel.org/admin-guide/mm/hugetlbpage.html */
export interface HugepagePool {
  readonly pageSizeBytes: number;
  readonly total: number;
  readonly free: number;
}

export interface KvmFacts {
  /** True only when QEMU itself was seen to start a guest with KVM, or when a snapshot says so. */
  readonly usable: boolean;
  /** Why not, for people; empty when usable. */
  readonly reason: string;
  /** Nothing speaks against it, and nobody has tried since the machine started. */
  readonly untried?: boolean;
}

/** What one QEMU binary is and can do; asked over QMP once and cached by path, size and modification time. */
export interface QemuFacts {
  readonly binary: string;
  readonly version: QemuVersion;
  readonly machines: readonly MachineType[];
  /** Names for -device, from qom-list-types; those of vCPUs are left out, `cpuModels` has them. */
  readonly devices: readonly string[];
  /** Names for -object, from the schema. */
  readonly objects: readonly string[];
  /** QMP commands. */
  readonly commands: readonly string[];
  /** QMP events. */
  readonly events: readonly string[];
  /** Names for -cpu, without the "-x86_64-cpu" ending. */
  readonly cpuModels: readonly string[];
}

export interface QemuVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
  /** The distribution's words, such as "Debian 1:7.2+dfsg-7+deb12u13". */
  readonly package: string;
}

export interface MachineType {
  readonly name: string;
  readonly alias?: string;
  readonly cpuMax: number;
  readonly deprecated: boolean;
}
