import { refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { TakenMemory } from "../plan/taken-memory.ts";
import { QmpClient } from "../qmp/index.ts";
import type { Exit, StartedProcess, System } from "../system/index.ts";
import { explainExit } from "./death.ts";
import { watchMemory } from "./memory-progress.ts";
import { transcriptFile } from "./record.ts";
import type { Places } from "./run-root.ts";
import { interrupted } from "./steps.ts";
import { transcriptTo } from "./transcript.ts";

interface ReadyWait {
  readonly system: System;
  readonly started: StartedProcess;
  readonly places: Places;
  /** Memory that is taken before QEMU answers. */
  readonly taken: readonly TakenMemory[];
  /** QEMU has its monitor, and does not answer yet. */
  readonly onGreeting?: () => void;
  readonly emit: EventSink;
  readonly signal: AbortSignal | undefined;
}

const step = "wait for QEMU";
/** Between two signs of life. */
const reportMs = 1_000;
/** QEMU closes its monitor a little before it is gone. */
const endsWithinMs = 5_000;

/**
 * Waits for QEMU as long as it lives: it answers when all memory is prepared and every device is made, which takes
 * minutes for terabytes. One that ends says why at once.
 * @throws QlaunchError VM_START_FAILED
 */
export async function awaitReady(wait: ReadyWait): Promise<QmpClient> {
  const { system, started, places, signal } = wait;
  const client = new QmpClient(started.monitor, {
    transcript: transcriptTo(system.files, transcriptFile(places.directory)),
  });
  const stopReports = reportProgress(wait);
  const onAbort = () => void client.close();
  if (wait.onGreeting !== undefined) client.greeting.then(wait.onGreeting, () => {});
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    await client.ready;
    return client;
  } catch (error) {
    if (signal?.aborted) throw interrupted(step);
    const exit = await exitSoon(system, started.exited);
    throw exit === undefined
      ? monitorLost(started.pid, error)
      : explainExit(system.files, places.logFile, exit);
  } finally {
    signal?.removeEventListener("abort", onAbort);
    stopReports();
  }
}

/** Taking memory is what takes long before QEMU answers; without any, it is told that it still starts. */
function reportProgress({ system, started, taken, emit }: ReadyWait): () => void {
  if (taken.length > 0) return watchMemory({ system, pid: started.pid, taken, step, emit });
  const began = system.clock.elapsedMs();
  const timer = setInterval(() => {
    const elapsedMs = system.clock.elapsedMs() - began;
    emit({ type: "waiting", step, elapsedMs, reason: "it makes its devices" });
  }, reportMs);
  return () => clearInterval(timer);
}

export async function exitSoon(system: System, exited: Promise<Exit>): Promise<Exit | undefined> {
  let exit: Exit | undefined;
  exited.then((value) => {
    exit = value;
  });
  const deadline = system.clock.elapsedMs() + endsWithinMs;
  do await system.clock.sleep(5);
  while (exit === undefined && system.clock.elapsedMs() < deadline);
  return exit;
}

function monitorLost(pid: number, error: unknown) {
  return refusal(
    "VM_START_FAILED",
    {
      found: `QEMU (process ${pid}) lives and its monitor does not answer`,
      needed: "a monitor that speaks QMP",
      fix: "look whether extraArgs gives QEMU another use for its monitor",
      detail: error instanceof Error ? error.message : String(error),
    },
    { cause: error },
  );
}
