import type { IdSet } from "../units/index.ts";
import type { QemuOption } from "./options.ts";

/**
 * Everything that a start does, decided beforehand. Pure data: the same profile, host and ledger give the same plan,
 * byte for byte.
 */
export interface Plan {
  readonly name: string;
  readonly uuid: string | undefined;
  /** Path or name of the QEMU program. */
  readonly program: string;
  /** QEMU's options in the order of the decisions; src/argv puts them into the order of the command line. */
  readonly options: readonly QemuOption[];
  readonly decisions: readonly Decision[];
  readonly placement: Placement;
  /** Every PCI device in order, the bus before what hangs on it. */
  readonly devices: readonly PlannedDevice[];
  /** Where the addresses of the guest's 64-bit BARs end at most. */
  readonly windowEnd?: number;
  readonly run: RunPlan;
}

/** Why something is as it is. Every option of the command line names at least one. */
export interface Decision {
  /** Stable: `numa.cell0.memory`. */
  readonly id: string;
  /** The file in src/plan that decided it, without its ending. */
  readonly concern: Concern;
  /** What was decided, in a few words. */
  readonly value: string;
  /** The rule, as a sentence. */
  readonly rule: string;
  /** What was found in the profile and on the host, one fact each. */
  readonly facts: readonly string[];
  /** URL of the document the rule comes from. */
  readonly source: string;
}

export type Concern =
  | "machine"
  | "firmware"
  | "cpu"
  | "memory"
  | "preallocation"
  | "numa"
  | "pinning"
  | "pcie"
  | "disks"
  | "networks"
  | "shares"
  | "consoles"
  | "devices"
  | "passthrough"
  | "stand-ins"
  | "kernel"
  | "sandbox"
  | "monitor"
  | "extra";

export interface Placement {
  readonly cells: readonly PlacedCell[];
  readonly memoryDevices: readonly PlacedMemoryDevice[];
  /** By vCPU number, up to cpus.max; those with boot false are added later. */
  readonly vcpus: readonly PlacedVcpu[];
  /** Host CPUs that nobody shall have, so that vCPUs have their cores to themselves. Absent: none. */
  readonly idleCpus?: IdSet;
  /** Host CPUs of QEMU's main thread and its workers; undefined leaves them to the scheduler. */
  readonly emulator: IdSet | undefined;
  readonly iothreads: readonly { readonly id: string; readonly hostCpus: IdSet | undefined }[];
}

export interface PlacedCell {
  readonly id: number;
  readonly vcpus: IdSet;
  readonly memoryBytes: number;
  /** The memory backend's id; undefined for a cell without memory. */
  readonly memdev: string | undefined;
  readonly hostNodes: IdSet | undefined;
  readonly policy: "bind" | "preferred" | "interleave" | undefined;
  /** 0 for ordinary pages. */
  readonly pageSizeBytes: number;
  /** To each cell; undefined when the guest shall assume 10 and 20. */
  readonly distances: readonly number[] | undefined;
}

/** A memory device that is there at the start; `hostNodes` and `policy` are its cell's, and undefined for an NVDIMM. */
export interface PlacedMemoryDevice
  extends Pick<PlacedCell, "memoryBytes" | "hostNodes" | "policy" | "pageSizeBytes"> {
  readonly id: string;
  readonly kind: "dimm" | "virtio-mem" | "nvdimm";
  readonly cell: number;
  readonly memdev: string;
}

export interface PlacedVcpu {
  /** QEMU's cpu-index. */
  readonly id: number;
  readonly cell: number;
  readonly socket: number;
  readonly die: number;
  readonly core: number;
  readonly thread: number;
  /** Present when the guest starts. */
  readonly boot: boolean;
  /** The id of its device; undefined for those that -smp makes. */
  readonly deviceId: string | undefined;
  /** Where its thread may run; undefined leaves it to the scheduler. */
  readonly hostCpus: IdSet | undefined;
  /** No other vCPU, of this VM or another, has these CPUs. */
  readonly exclusive: boolean;
}

/** A device on the guest's PCI tree. */
export interface PlannedDevice {
  readonly id: string;
  readonly driver: string;
  /** The bus it sits on: pcie.0, or the id of an expander bus or port. */
  readonly bus: string;
  readonly slot: number;
  readonly function: number;
  /** The cell that the guest will see for it; undefined on pcie.0. */
  readonly numaNode: number | undefined;
  /** pxb-pcie only: the number of the bus it starts. */
  readonly busNr?: number;
  /** Of a passed-through device: the address of the host's function. */
  readonly hostAddress?: string;
}

/** What the launcher does around QEMU. */
export interface RunPlan {
  /** The VM's private directory. */
  readonly directory: string;
  readonly pidFile: string;
  readonly logFile: string;
  /** Monitor for qlaunch's own later commands. */
  readonly qmpSocket: string;
  /** Monitor for people and their tools. */
  readonly monitorSocket: string;
  readonly consoles: readonly ConsoleEnd[];
  /** Files that the VM owns, copied before the start. */
  readonly copies: readonly { readonly source: string; readonly target: string }[];
  /** Programs that run beside QEMU and end with it. */
  readonly helpers: readonly Helper[];
  /** Files that must be there, for the checks before a start. */
  readonly files: readonly NeededFile[];
  readonly bridges: readonly { readonly name: string; readonly helper: string }[];
  readonly taps: readonly string[];
  readonly user: RunUser | undefined;
  readonly openFiles: number | undefined;
  /** Bytes that QEMU locks; 0 when it locks nothing. */
  readonly lockedBytes: number;
  /** Devices have large BARs, so that the start looks whether the firmware found addresses for them. Default false. */
  readonly largeBars?: boolean;
  /** Host functions that are bound to vfio-pci before QEMU starts and given back after its end, in order. */
  readonly passthrough: readonly PassedFunction[];
}

/** A function of the host that leaves its driver for this VM. */
export interface PassedFunction {
  /** "0000:19:00.0" */
  readonly address: string;
  /** The guest's device; undefined for a companion that is bound for its group's sake and that the guest does not get. */
  readonly deviceId: string | undefined;
  readonly iommuGroup: number;
  /** Four hexadecimal digits each, as the host has them: a device that answers 0xffff is dead. */
  readonly vendor: string;
  readonly device: string;
  /** Where in the profile it is asked for. */
  readonly profilePath: readonly (string | number)[];
}

export interface ConsoleEnd {
  readonly id: string;
  readonly type: "serial" | "virtio" | "channel" | "agent";
  /** The port's name in the guest, for channels. */
  readonly name: string | undefined;
  readonly socket: string;
  /** All that the guest wrote; undefined for channels. */
  readonly log: string | undefined;
  /** Agent only: it brings new vCPUs and memory online. Default false. */
  readonly online?: boolean;
}

export interface Helper {
  readonly id: string;
  /** A program in PATH, or one of several absolute paths to try. */
  readonly programs: readonly string[];
  readonly arguments: readonly string[];
  /** The socket that QEMU connects to; the helper is ready when it is there. */
  readonly socket: string;
}

export interface NeededFile {
  readonly path: string;
  readonly access: "read" | "write";
  readonly kind: "file" | "directory";
  /** Where in the profile it is named. */
  readonly profilePath: readonly (string | number)[];
  /** What it is, for messages: "disk root", "kernel image". */
  readonly what: string;
  /** Disks only: what the first bytes must say. */
  readonly format?: "raw" | "qcow2";
}

export interface RunUser {
  readonly user: string;
  readonly group: string | undefined;
  readonly groups: readonly string[];
}
