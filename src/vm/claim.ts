import { type QlaunchError, refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { System } from "../system/index.ts";
import { newerRecord } from "./find.ts";
import { pidFileMark } from "./journal.ts";
import { describeDeath, looksLikeOurs, readLiveness, readRecord, type VmRecord } from "./record.ts";
import { checkOwnFolder, type Places } from "./run-root.ts";
import { unwind } from "./undo.ts";

/** What an earlier VM of the name left, if it is taken away. */
export interface Remains {
  readonly uuid: string | undefined;
  readonly cleaned: boolean;
}

/**
 * Makes the name free for a start, with its lock held: refuses when the VM runs, takes away what a dead one left.
 * @throws QlaunchError VM_RUNNING, RUN_DIRECTORY
 */
export async function claimName(
  system: System,
  root: string,
  name: string,
  places: Places,
  emit: EventSink,
): Promise<Remains> {
  const reading = readRecord(system.files, places.directory);
  if (reading.kind === "absent") return { uuid: undefined, cleaned: false };
  checkOwnFolder(system, places.directory);
  if (reading.kind === "newer") throw newerRecord({ name, root, places, reading }, reading.problem);
  if (reading.kind === "broken") {
    emit(cleaning(name, reading.problem));
    await removeBroken(system, places, emit);
    return { uuid: undefined, cleaned: true };
  }
  const { record } = reading;
  if (readLiveness(system.files, record).qemu && record.phase !== "starting") throw runsAlready(record);
  emit(cleaning(name, describeDeath(record)));
  await takeDown(system, record, emit);
  return { uuid: record.uuid, cleaned: true };
}

/** Takes back all that a start did. @throws QlaunchError VM_STALE when something cannot be taken back */
export async function takeDown(system: System, record: VmRecord, emit: EventSink): Promise<void> {
  const problems = await unwind(system, record.undo, emit);
  if (problems.length > 0) throw remains(record.name, problems);
}

/** Without a record only the arguments of its programs tell what belongs to it. */
export async function removeBroken(system: System, places: Places, emit: EventSink): Promise<void> {
  const { directory } = places;
  if (!looksLikeOurs(system.files, directory)) {
    throw refusal("RUN_DIRECTORY", {
      found: `${directory} is not the run directory of a VM`,
      needed: "a free name below the run directory",
      fix: "give the VM another name, or set QLAUNCH_RUN_DIR to a folder for this alone",
    });
  }
  const entries = [
    { step: "make the run directory", action: { do: "remove", path: directory } },
    {
      step: "start QEMU",
      action: { do: "end-process", process: null, marks: [pidFileMark, places.pidFile] },
    },
  ] as const;
  const problems = await unwind(system, entries, emit);
  if (problems.length > 0) throw remains(directory, problems);
}

function remains(what: string, problems: readonly string[]): QlaunchError {
  return refusal("VM_STALE", {
    found: `not all of ${what} could be taken away`,
    needed: "its processes to end, its devices to go back and its directory to go",
    fix: "see the kernel's words, then: qlaunch down",
    detail: problems.join("\n"),
  });
}

function cleaning(name: string, why: string) {
  return {
    type: "notice",
    level: "info",
    message: `${name} left a run directory: ${why}; taking it away`,
  } as const;
}

export function runsAlready(record: VmRecord): QlaunchError {
  return refusal("VM_RUNNING", {
    found: `${record.name} runs as process ${record.qemu?.pid} since ${new Date(record.createdMs).toISOString()}`,
    needed: "a name that no running VM has",
    fix: `qlaunch down ${record.name} first, or give this VM another name`,
  });
}
