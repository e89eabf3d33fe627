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
  /** What is left of them to this program and what it starts; absent where that is all. */
  readonly share?: HostShare;
  readonly kvm: KvmFacts;
  /** Absent in a snapshot taken where no QEMU was installed. */
  readonly qemu?: QemuFacts;
  /** UEFI images by preference; absent when nobody asked for them. */
  readonly firmware?: readonly FirmwareImage[];
  /** PCI functions, bridges among them, by address; absent when nobody asked for them. */
  readonly pci?: readonly PciFunction[];
  /** What the kernel has for giving devices to guests; absent as `pci` is. */
  readonly iommu?: IommuFacts;
}

/**
 * One PCI function as sysfs has it.
 * @see https://docs.kernel.org/PCI/sysfs-pci.html
 */
export interface PciFunction {
  /** "0000:19:00.0" */
  readonly address: string;
  /** The root bus that it hangs from, directly or through bridges: "0000:17". */
  readonly rootBus: string;
  /** Address of the bridge or port above; absent on a root bus. */
  readonly parent?: string;
  /**
   * From the PCI Express capability where config space could be read, else from the class and the place. bridge: one of
   * conventional PCI, and those between PCI and PCI Express. endpoint: everything that is no bridge.
   */
  readonly kind: "endpoint" | "root-port" | "upstream-port" | "downstream-port" | "bridge";
  /** Class, subclass and programming interface, six hexadecimal digits: "030200". */
  readonly class: string;
  /** Four hexadecimal digits: "10de". */
  readonly vendor: string;
  readonly device: string;
  readonly subsystem?: { readonly vendor: string; readonly device: string };
  /** NUMA node; -1 where the firmware does not tell. */
  readonly node: number;
  /** Absent without an IOMMU. */
  readonly iommuGroup?: number;
  /** The driver that has it; absent for none. */
  readonly driver?: string;
  readonly bars: readonly PciBar[];
  /**
   * Of a port or PCI Express endpoint. Speed in GT/s, width in lanes; both 0 now where nothing is connected. Absent for
   * what has no link.
   */
  readonly link?: {
    readonly maxSpeed: number;
    readonly maxWidth: number;
    readonly speed: number;
    readonly width: number;
  };
  /** Of an SR-IOV virtual function: the address of its physical function. */
  readonly physicalFunction?: string;
  /** Of a physical function with SR-IOV: how many virtual functions it has now and at most. */
  readonly virtualFunctions?: { readonly now: number; readonly max: number };
  /** Access Control Services of a port or function: the bits it can have and the bits that are set. Absent: none. */
  readonly acs?: { readonly capability: number; readonly control: number };
  /** Address Translation Services: whether they are switched on. Absent: the function has none. */
  readonly ats?: boolean;
  /** What this host needs it for, for people: "the root file system", "the default route". Absent: nothing known. */
  readonly hostUse?: string;
}

export interface PciBar {
  /** 0 to 5; 6 is the expansion ROM. */
  readonly index: number;
  readonly sizeBytes: number;
  readonly kind: "io" | "mem32" | "mem64";
  readonly prefetchable: boolean;
}

/** @see https://docs.kernel.org/driver-api/vfio.html */
export interface IommuFacts {
  /** The kernel has sorted devices into IOMMU groups. */
  readonly enabled: boolean;
  /** Driver vfio-pci: there, to be loaded by modprobe, or not on this system. */
  readonly vfioPci: "loaded" | "available" | "absent";
  /** /dev/iommu is there. */
  readonly iommufd: boolean;
  /** Width of the addresses that devices may use; absent where the kernel does not tell. */
  readonly addressBits?: number;
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
  /** Without a clock tick while one task runs, by nohz_full=. Default false. */
  readonly tickless?: boolean;
  /** The first of the CPUs that share its level 3 cache; absent where it has none, or the kernel does not tell. */
  readonly l3?: number;
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

/** The part of a machine that a container or a batch job has. */
export interface HostShare {
  readonly cpus: readonly number[];
  readonly nodes: readonly number[];
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
