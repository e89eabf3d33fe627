import { refusal } from "../errors/index.ts";
import type { Exit, System } from "../system/index.ts";
import { takeDown } from "./claim.ts";
import { explain } from "./death.ts";
import { lockVm } from "./find.ts";
import { describeExit } from "./helpers.ts";
import { findComplaint, quote, readWords } from "./last-words.ts";
import { type StartedVm, startVm } from "./launch.ts";
import { readRecord } from "./record.ts";
import { runRoot } from "./run-root.ts";
import { stopVm } from "./shutdown.ts";
import type { LaunchRequest } from "./types.ts";

export interface RunRequest extends LaunchRequest {
  /** Aborts when the VM shall power down: SIGTERM, SIGINT. */
  readonly stop: AbortSignal;
  /** Aborts when waiting for the guest shall end: a second signal. */
  readonly stopNow?: AbortSignal;
  /** How long the guest gets to power itself down. Default 60000. */
  readonly stopTimeoutMs?: number;
}

/**
 * Starts a VM and stays until it ends, for service managers and containers: `stop` powers it down in order. If this
 * program is killed the VM goes on, and `down` ends it.
 * @returns QEMU's exit, when the guest, a command or `stop` ended it
 * @throws QlaunchError as a start does; VM_DIED when QEMU fails later
 */
export async function runVm(system: System, request: RunRequest): Promise<Exit> {
  const { plan, emit, stop, stopNow, stopTimeoutMs } = request;
  const vm = await startVm(system, { ...request, signal: stop });
  const { started, places } = vm;
  started.monitor.destroy();
  let stopping: Promise<unknown> | undefined;
  const end = (force: boolean) => {
    stopping = stopVm(system, plan.name, {
      emit,
      force,
      ...(stopTimeoutMs === undefined ? {} : { timeoutMs: stopTimeoutMs }),
    });
    // Looked at below, after QEMU's exit.
    stopping.catch(() => {});
  };
  const onStop = () => end(false);
  const onStopNow = () => end(true);
  stop.addEventListener("abort", onStop, { once: true });
  stopNow?.addEventListener("abort", onStopNow, { once: true });
  if (stop.aborted) onStop();
  try {
    const exit = await started.exited;
    const words = readWords(system.files, places.logFile);
    await (stopping ?? cleanUp(system, vm, request));
    if (stopping === undefined && (exit.signal !== undefined || exit.exitCode !== 0))
      throw died(plan.name, exit, words);
    return exit;
  } finally {
    stop.removeEventListener("abort", onStop);
    stopNow?.removeEventListener("abort", onStopNow);
  }
}

/** How long a command that ended the VM may take to clean up after it. */
const cleanUpMs = 10_000;

/** Takes the run directory away, unless somebody did, or started a VM of that name anew. */
async function cleanUp(
  system: System,
  { started, places, vm }: StartedVm,
  request: RunRequest,
): Promise<void> {
  const lock = await lockVm(system, runRoot(system), vm.name, "qlaunch run", cleanUpMs);
  try {
    const reading = readRecord(system.files, places.directory);
    if (reading.kind !== "record" || reading.record.qemu?.pid !== started.pid) return;
    await takeDown(system, reading.record, request.emit);
  } finally {
    lock.release();
  }
}

function died(name: string, exit: Exit, words: readonly string[]) {
  const complaint = findComplaint(words);
  return refusal("VM_DIED", {
    found: `QEMU of ${name} ended (${describeExit(exit)})${complaint === undefined ? "" : `: ${complaint}`}`,
    needed: "a QEMU that runs until the guest powers down",
    fix: explain(exit, words)?.fix ?? "see its words; look for it in: dmesg",
    ...(words.length === 0 ? {} : { detail: quote(words) }),
  });
}
