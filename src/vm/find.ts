import { refusal } from "../errors/index.ts";
import { join, type Lock, type System } from "../system/index.ts";
import { listNames, type RecordReading, readRecord, type VmRecord } from "./record.ts";
import { checkOwnFolder, isVmName, type Places, placesFor, runRoot } from "./run-root.ts";

/** A VM that has a directory, whatever state it is in. */
export interface FoundVm {
  readonly name: string;
  readonly root: string;
  readonly places: Places;
  readonly reading: Exclude<RecordReading, { kind: "absent" }>;
}

/** @throws QlaunchError VM_UNKNOWN, or RUN_DIRECTORY when a folder on the way is not ours alone */
export function findVm(system: System, name: string): FoundVm {
  const root = runRoot(system);
  checkOwnFolder(system, root);
  if (isVmName(name)) {
    const places = placesFor(root, name);
    const reading = readRecord(system.files, places.directory);
    if (reading.kind !== "absent") {
      checkOwnFolder(system, places.directory);
      return { name, root, places, reading };
    }
  }
  const names = listNames(system.files, root);
  throw refusal("VM_UNKNOWN", {
    found: `no VM is called ${JSON.stringify(name)}`,
    needed: names.length === 0 ? "a VM that was started" : `one of ${names.join(", ")}`,
    fix:
      names.length === 0
        ? `start one: qlaunch up PROFILE (VMs are looked for in ${root})`
        : `qlaunch ps lists them (in ${root})`,
  });
}

/** The record, unless it cannot be trusted. @throws QlaunchError VM_STALE, RUN_DIRECTORY */
export function requireRecord(found: FoundVm): VmRecord {
  const { reading, name } = found;
  if (reading.kind === "record") return reading.record;
  throw reading.kind === "newer" ? newerRecord(found, reading.problem) : brokenRecord(name, reading.problem);
}

export function newerRecord({ places }: FoundVm, problem: string) {
  return refusal("RUN_DIRECTORY", {
    found: `${places.directory} was written by a newer qlaunch: ${problem}`,
    needed: "a record that this program can read",
    fix: "use the qlaunch that started the VM",
  });
}

function brokenRecord(name: string, problem: string) {
  return refusal("VM_STALE", {
    found: `the run directory of ${name} cannot be used: ${problem}`,
    needed: "a record of the running VM",
    fix: `take it away with: qlaunch down ${name}`,
  });
}

/** Outside the directory, which a start makes and a stop removes. */
const lockFile = (root: string, name: string) => join(root, `.${name}.lock`);

/**
 * Keeps other commands from the VM until it is released or this program ends.
 * @param doing what people read who have to wait: "qlaunch up"
 * @throws QlaunchError VM_BUSY
 */
export async function lockVm(
  system: System,
  root: string,
  name: string,
  doing: string,
  waitMs = 0,
): Promise<Lock> {
  const owner = `${doing} ${name} (process ${process.pid})`;
  const lock = await system.locks.take(lockFile(root, name), owner, { waitMs });
  if ("release" in lock) return lock;
  throw refusal("VM_BUSY", {
    found: `${lock.heldBy || "another command"} works on ${name}`,
    needed: "one command at a time",
    fix: "wait for it to end, then try again",
  });
}
