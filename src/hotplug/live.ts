import { QlaunchError } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { Plan } from "../plan/types.ts";
import type { Lock, System } from "../system/index.ts";
import { type FoundVm, findVm, lockVm } from "../vm/find.ts";
import { Journal } from "../vm/journal.ts";
import type { MappingStarts } from "../vm/numa-maps.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import type { VmRecord } from "../vm/record.ts";
import { type Monitor, openMonitor, readPlan, requireRunning } from "../vm/session.ts";
import { type LiveMonitor, withRecentAnswers } from "./recent-answers.ts";

/** How a command that changes a running VM is to go about it. */
export interface LiveOptions {
  readonly emit: EventSink;
  /** Stops waiting; what was asked of QEMU stays asked, and the operation stays pending. */
  readonly signal?: AbortSignal | undefined;
  /** How long the guest may take for each thing that it has to do, in milliseconds. Default 60000. */
  readonly timeoutMs?: number | undefined;
  /** Return once QEMU took the commands, without waiting for the guest. Default false. */
  readonly noWait?: boolean | undefined;
}

/** A running VM that this command alone works on. */
export interface LiveVm {
  readonly system: System;
  readonly name: string;
  /** The run directory. */
  readonly directory: string;
  readonly pid: number;
  readonly plan: Plan;
  readonly qmp: LiveMonitor;
  /** vm.json. */
  readonly journal: Journal;
  readonly emit: EventSink;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly noWait: boolean;
  /** Where QEMU had mappings before it was given memory; only commands that do so look. */
  readonly mapped?: MappingStarts | undefined;
}

const defaultTimeoutMs = 60_000;
/** How long another command may keep the VM before this one gives up. */
const lockWaitMs = 3_000;

/**
 * Runs work with the VM's lock and its monitor. Failures of the monitor become refusals.
 * @param doing what other commands are told that wait: "qlaunch setvcpus"
 * @param meanwhile what is done while QEMU greets: the work's modules are loaded then
 * @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY, QMP_DISCONNECTED, QMP_ERROR
 */
export async function withLiveVm<T>(
  system: System,
  name: string,
  doing: string,
  options: LiveOptions,
  work: (live: LiveVm) => Promise<T>,
  meanwhile?: () => Promise<unknown>,
): Promise<T> {
  // Refused before anything waits for a lock.
  const first = findVm(system, name);
  requireRunning(system, first);
  const lock: Lock = await lockVm(system, first.root, name, doing, lockWaitMs);
  try {
    // The command that had the lock may have ended the VM.
    const found = findVm(system, name);
    const record = requireRunning(system, found);
    const { directory } = found.places;
    const [plan, { qmp, close }] = await open(system, found, record, meanwhile);
    try {
      return await work({
        system,
        name,
        directory,
        pid: record.qemu?.pid ?? 0,
        plan,
        qmp: withRecentAnswers(qmp, system.clock.elapsedMs),
        journal: new Journal(system.files, directory, record),
        emit: options.emit,
        signal: options.signal,
        timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
        noWait: options.noWait ?? false,
      });
    } catch (error) {
      throw error instanceof QlaunchError ? error : asRefusal(error, name);
    } finally {
      await close();
    }
  } finally {
    lock.release();
  }
}

/** Reads the plan while QEMU greets. */
async function open(
  system: System,
  found: FoundVm,
  record: VmRecord,
  meanwhile?: () => Promise<unknown>,
): Promise<[Plan, Monitor]> {
  const opening = openMonitor(system, found, record);
  // Whoever awaits it is told; what is done meanwhile may fail first.
  opening.catch(() => {});
  try {
    const plan = readPlan(system, found);
    await meanwhile?.();
    return [plan, await opening];
  } catch (error) {
    await opening.then(
      ({ close }) => close(),
      () => {},
    );
    throw error;
  }
}

/** Runs a named step, telling when it begins and ends. */
export async function step<T>(
  { system, emit }: LiveVm,
  name: string,
  work: () => Promise<T>,
  summarize: (value: T) => string = () => "",
): Promise<T> {
  const began = system.clock.elapsedMs();
  const elapsedMs = () => system.clock.elapsedMs() - began;
  emit({ type: "step-started", step: name });
  try {
    const value = await work();
    emit({ type: "step-ended", step: name, elapsedMs: elapsedMs(), summary: summarize(value) });
    return value;
  } catch (error) {
    emit({ type: "step-failed", step: name, elapsedMs: elapsedMs() });
    throw error;
  }
}
