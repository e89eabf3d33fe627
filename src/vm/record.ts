import { type Files, join, type System } from "../system/index.ts";
import { isAlive, type ProcessIdentity } from "./process.ts";
import { parseRecord } from "./record-format.ts";
import { isVmName, placesFor, runRoot } from "./run-root.ts";
import type { RecordedCell } from "./types.ts";
import type { UndoEntry } from "./undo.ts";

/**
 * vm.json: how to find a VM and what must be taken back when it ends. QEMU and /proc are the truth about everything
 * else. Format 1; a reader refuses any other.
 */
export interface VmRecord {
  readonly format: 1;
  /** Version of the program that wrote it. */
  readonly qlaunch: string;
  readonly name: string;
  readonly uuid: string;
  /** starting, until it is pinned and read back; stopping, while a command takes it down. */
  readonly phase: "starting" | "running" | "stopping";
  /** The command that starts or stops it. */
  readonly worker: ProcessIdentity | null;
  /** Pids and start times mean nothing after a reboot. */
  readonly bootId: string;
  readonly createdMs: number;
  readonly program: string;
  readonly qemu: ProcessIdentity | null;
  readonly helpers: readonly { readonly id: string; readonly process: ProcessIdentity }[];
  readonly vcpus: number;
  /** vCPUs that QEMU made since its start, those that left again among them; absent until one is added. */
  readonly vcpusMade?: number;
  readonly memoryBytes: number;
  readonly cells: readonly RecordedCell[];
  /** Host CPUs that one vCPU has for itself. */
  readonly exclusiveCpus: readonly number[];
  /** Addresses of the host's PCI functions that it has; absent in records of older programs: none. */
  readonly pciFunctions?: readonly string[];
  /** In the order of doing. */
  readonly undo: readonly UndoEntry[];
}

export type RecordReading =
  | { readonly kind: "absent" }
  | { readonly kind: "record"; readonly record: VmRecord }
  | { readonly kind: "broken"; readonly problem: string }
  | { readonly kind: "newer"; readonly problem: string };

export const recordFile = (directory: string) => join(directory, "vm.json");
export const profileFile = (directory: string) => join(directory, "profile.json");
export const keptProfileFile = (directory: string) => join(directory, "profile.kept.json");
export const planFile = (directory: string) => join(directory, "plan.json");
export const transcriptFile = (directory: string) => join(directory, "qmp.log");

export function writeRecord(files: Files, directory: string, record: VmRecord): void {
  files.writeAtomically(recordFile(directory), `${JSON.stringify(record, undefined, 2)}\n`);
}

export function readRecord(files: Files, directory: string): RecordReading {
  if (files.facts(directory, { followLinks: false }) === undefined) return { kind: "absent" };
  const text = files.tryReadText(recordFile(directory));
  if (text === undefined) return { kind: "broken", problem: "there is no vm.json in it" };
  return parseRecord(text);
}

/** Changes with every boot of the host. */
export function readBootId(files: Files): string {
  return files.tryReadText("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
}

/** What is left of a VM: its QEMU, and the command that works on it. */
export interface Liveness {
  readonly qemu: boolean;
  readonly worker: boolean;
}

export function readLiveness(files: Files, record: VmRecord): Liveness {
  if (record.bootId !== readBootId(files)) return { qemu: false, worker: false };
  return {
    qemu: record.qemu !== null && isAlive(files, record.qemu),
    worker: record.worker !== null && isAlive(files, record.worker),
  };
}

/** Why a VM that has a record does not run. */
export function describeDeath(record: VmRecord): string {
  return record.phase === "starting"
    ? "its start was interrupted"
    : `its QEMU (process ${record.qemu?.pid ?? "unknown"}) is gone`;
}

/** The names of the VMs that have a directory in the run root, sorted. What is none of ours is passed over. */
export function listNames(files: Files, root: string): string[] {
  return (files.list(root) ?? []).filter(
    (name) =>
      isVmName(name) &&
      files.facts(join(root, name), { followLinks: false })?.kind === "directory" &&
      readRecord(files, join(root, name)).kind !== "absent" &&
      looksLikeOurs(files, join(root, name)),
  );
}

/** A folder without a record is ours only when nothing else is in it than a start makes before the record. */
export function looksLikeOurs(files: Files, directory: string): boolean {
  const names = files.list(directory) ?? [];
  return names.includes("vm.json") || names.every((name) => /^\..*\.tmp$/.test(name));
}

/** The uuid that an earlier start made, as long as the run directory is there. */
export function keptUuid(system: System, name: string): string | undefined {
  const reading = readRecord(system.files, placesFor(runRoot(system), name).directory);
  return reading.kind === "record" ? reading.record.uuid : undefined;
}
