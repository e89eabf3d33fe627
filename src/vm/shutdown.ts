import type { EventSink } from "../events/event.ts";
import type { System } from "../system/index.ts";
import { removeBroken, takeDown } from "./claim.ts";
import { type FoundVm, findVm, lockVm, newerRecord } from "./find.ts";
import { Journal } from "./journal.ts";
import { powerDown } from "./power-down.ts";
import { endProcess, identify } from "./process.ts";
import { readLiveness, readRecord, type VmRecord } from "./record.ts";
import type { StopOptions, StoppedVm } from "./types.ts";

const defaultTimeoutMs = 60_000;
/** What a stop that was overtaken by force needs to clean up. */
const overtakenMs = 10_000;

/**
 * Ends a VM and takes its run directory away: asks the guest through ACPI, ends QEMU when the guest does not react in
 * time, kills it when even that does not help. A VM that is gone already is cleaned up.
 * @throws QlaunchError VM_UNKNOWN, VM_BUSY, RUN_DIRECTORY
 */
export async function stopVm(system: System, name: string, options: StopOptions = {}): Promise<StoppedVm> {
  const { force = false, emit = () => {} } = options;
  const began = system.clock.elapsedMs();
  const { root, reading, places } = findVm(system, name);
  const overtaken = force && (await overtake(system, reading));
  const lock = await lockVm(system, root, name, "qlaunch down", force ? overtakenMs : 0);
  try {
    // The command that had the lock may have ended the VM.
    const done = overtaken && readRecord(system.files, places.directory).kind === "absent";
    const how = done ? "quit" : await stop(system, findVm(system, name), { ...options, emit });
    return { name, how, elapsedMs: system.clock.elapsedMs() - began };
  } finally {
    lock.release();
  }
}

/** Cuts a stop short that still waits for the guest. @returns whether there was one */
async function overtake(system: System, reading: FoundVm["reading"]): Promise<boolean> {
  if (reading.kind !== "record") return false;
  const { phase, qemu } = reading.record;
  if (phase !== "stopping" || qemu === null || !readLiveness(system.files, reading.record).worker)
    return false;
  await endProcess(system, qemu);
  return true;
}

async function stop(
  system: System,
  found: FoundVm,
  options: StopOptions & { readonly emit: EventSink },
): Promise<StoppedVm["how"]> {
  const { reading, places } = found;
  const { emit } = options;
  if (reading.kind === "newer") throw newerRecord(found, reading.problem);
  if (reading.kind === "broken") {
    await removeBroken(system, places, emit);
    return "cleaned";
  }
  const { record } = reading;
  if (record.phase === "starting" || !readLiveness(system.files, record).qemu) {
    await takeDown(system, record, emit);
    return "cleaned";
  }
  const journal = new Journal(system.files, places.directory, record);
  journal.update({ phase: "stopping", worker: identify(system.files, process.pid) ?? null });
  const how = await endQemu(system, found, record, journal, options);
  await takeDown(system, record, emit);
  return how;
}

async function endQemu(
  system: System,
  found: FoundVm,
  record: VmRecord,
  journal: Journal,
  { force = false, timeoutMs = defaultTimeoutMs, signal, emit }: StopOptions & { readonly emit: EventSink },
): Promise<StoppedVm["how"]> {
  if (record.qemu === null) return "cleaned";
  try {
    if (!force) {
      const how = await powerDown({ system, found, record, qemu: record.qemu, timeoutMs, signal, emit });
      if (how !== undefined) return how;
    }
  } catch (error) {
    // Interrupted: the VM goes on, and another command may stop it.
    journal.update({ phase: "running", worker: null });
    throw error;
  }
  return (await endProcess(system, record.qemu)) === "asked" ? "quit" : "killed";
}
