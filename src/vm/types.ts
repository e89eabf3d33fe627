import type { EventSink } from "../events/event.ts";
import type { Host } from "../host/topology.ts";
import type { Plan } from "../plan/types.ts";
import type { IdSet } from "../units/index.ts";
import type { PciTreeState } from "./pci-tree.ts";

/** What a start needs. */
export interface LaunchRequest {
  readonly plan: Plan;
  /** The profile as it was read; kept beside the plan for people. */
  readonly profileText: string;
  /** The same as later commands take it. */
  readonly keptProfile: string;
  readonly host: Host;
  /** Stop before the first guest instruction, with everything pinned and read back. */
  readonly paused: boolean;
  readonly emit: EventSink;
  /** Undoes the start when it aborts before the end. */
  readonly signal?: AbortSignal;
  /** Version of this program, for the record. */
  readonly version?: string;
}

/** A VM that was started. */
export interface LaunchedVm {
  readonly name: string;
  readonly uuid: string;
  readonly pid: number;
  readonly paused: boolean;
  readonly elapsedMs: number;
}

export interface StopOptions {
  /** How long the guest gets to power itself down, in milliseconds. Default 60000. */
  readonly timeoutMs?: number;
  /** Do not ask the guest. Default false. */
  readonly force?: boolean;
  readonly emit?: EventSink;
  readonly signal?: AbortSignal;
}

export interface StoppedVm {
  readonly name: string;
  /**
   * powered-down: by the guest. quit: QEMU ended when told. killed: QEMU was killed. cleaned: nothing ran any more,
   * or a start had been cut off, and what it left was taken away.
   */
  readonly how: "powered-down" | "quit" | "killed" | "cleaned";
  readonly elapsedMs: number;
}

/**
 * starting and stopping: a command works on it. interrupted: the command that started it died halfway. ended: QEMU
 * is gone and the run directory is still there. halted: QEMU is there and its guest does not run any more (it
 * crashed, was shut down without QEMU ending, or waits for a disk); `qemuState` says which. broken: the record
 * cannot be read.
 */
export type VmState =
  | "running"
  | "paused"
  | "halted"
  | "starting"
  | "stopping"
  | "interrupted"
  | "ended"
  | "broken";

/** One line of `qlaunch ps`. */
export interface VmSummary {
  readonly name: string;
  readonly state: VmState;
  /** QEMU's own word for the state; undefined when its monitor did not answer. */
  readonly qemuState: string | undefined;
  readonly pid: number | undefined;
  /** Since QEMU started; undefined when it does not run. */
  readonly uptimeMs: number | undefined;
  readonly vcpus: number | undefined;
  readonly memoryBytes: number | undefined;
  /** Memory that QEMU has in use, huge pages included. */
  readonly residentBytes: number | undefined;
  /** What is wrong and what to do, for the states interrupted, ended and broken. */
  readonly problem: string | undefined;
}

export interface VmDetail extends VmSummary {
  readonly uuid: string | undefined;
  readonly createdMs: number | undefined;
  readonly program: string | undefined;
  readonly directory: string;
  readonly logFile: string;
  /** Monitor for people and their tools. */
  readonly monitorSocket: string;
  readonly consoles: readonly { readonly id: string; readonly type: string; readonly socket: string }[];
  readonly helpers: readonly { readonly id: string; readonly pid: number; readonly running: boolean }[];
  /** Host CPUs that no other VM's vCPUs get. */
  readonly exclusiveCpus: IdSet;
  /** Addresses of the host's PCI functions that it has. */
  readonly pciFunctions: readonly string[];
  readonly cells: readonly RecordedCell[];
  /** What the firmware made of the PCI tree; undefined when QEMU does not run or was not asked. */
  readonly pciTree: PciTreeState | undefined;
}

export interface RecordedCell {
  readonly id: number;
  readonly memoryBytes: number;
  /** 0 for ordinary pages. */
  readonly pageSizeBytes: number;
  readonly hostNodes: IdSet | undefined;
}

/** One vCPU of a running VM, for `qlaunch vcpus`. */
export interface VcpuThread {
  readonly vcpu: number;
  readonly threadId: number;
  readonly cell: number | undefined;
  /** Where the plan puts it; undefined when it is left to the scheduler. */
  readonly plannedCpus: IdSet | undefined;
  /** Where the kernel lets it run. */
  readonly allowedCpus: IdSet;
  /** Where it ran last, and the host node of that. */
  readonly lastCpu: number;
  readonly lastNode: number | undefined;
  /** Time it has run, in milliseconds. */
  readonly cpuTimeMs: number;
}
