import { refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import type { FoundVm } from "./find.ts";
import { type ProcessIdentity, waitForEnd } from "./process.ts";
import type { VmRecord } from "./record.ts";
import { openMonitor } from "./session.ts";

interface PowerDown {
  readonly system: System;
  readonly found: FoundVm;
  readonly record: VmRecord;
  readonly qemu: ProcessIdentity;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly emit: EventSink;
}

/** A monitor that another command uses is free after a moment. */
const connectMs = 5_000;
/** A guest that is still booting does not see the button; it is pressed again. */
const pressEveryMs = 15_000;
/** What QEMU needs to write its caches. */
const quitMs = 10_000;

/**
 * Asks the guest to power down and waits; then tells QEMU to quit.
 * @returns how it ended, or undefined when it did not
 * @throws QlaunchError VM_TIMEOUT when the signal aborts the wait
 */
export async function powerDown(work: PowerDown): Promise<"powered-down" | "quit" | undefined> {
  const { system, found, record, qemu, emit } = work;
  let qmp: QmpClient;
  try {
    ({ qmp } = await openMonitor(system, found, record, connectMs));
  } catch (error) {
    const message = `the guest cannot be asked: ${error instanceof Error ? error.message : String(error)}`;
    emit({ type: "notice", level: "warning", message });
    return undefined;
  }
  try {
    if ((await canReact(qmp, emit)) && (await waitForGuest(work, qmp))) return "powered-down";
    await qmp.execute("quit", {}, { timeoutMs: quitMs }).catch(() => {});
  } finally {
    await qmp.close();
  }
  return (await waitForEnd(system, qemu, quitMs)) ? "quit" : undefined;
}

/** A paused guest is let run, so that it can react; one that never ran or crashed has nothing to save. */
async function canReact(qmp: QmpClient, emit: EventSink): Promise<boolean> {
  const { status } = await qmp.execute("query-status");
  if (status === "running") return true;
  if (status === "suspended") {
    await qmp.execute("system_wakeup").catch(() => {});
    return true;
  }
  if (status === "paused") {
    emit({ type: "notice", level: "info", message: "the guest was paused; it runs on to power itself down" });
    await qmp.execute("cont");
    return true;
  }
  if (status !== "prelaunch") {
    emit({
      type: "notice",
      level: "info",
      message: `the guest does not run (${status}); QEMU is told to quit`,
    });
  }
  return false;
}

async function waitForGuest(work: PowerDown, qmp: QmpClient): Promise<boolean> {
  const { system, qemu, timeoutMs, signal, emit } = work;
  const began = system.clock.elapsedMs();
  let pressedMs = -Infinity;
  let reportedMs = 0;
  for (;;) {
    const elapsedMs = system.clock.elapsedMs() - began;
    if (elapsedMs >= timeoutMs) return false;
    if (signal?.aborted) throw stoppedWaiting(work.record.name);
    if (elapsedMs - pressedMs >= pressEveryMs && qmp.state === "running") {
      pressedMs = elapsedMs;
      await qmp.execute("system_powerdown").catch(() => {});
    }
    if (elapsedMs - reportedMs >= 1_000) {
      reportedMs = elapsedMs;
      const reason = `the guest has ${Math.ceil((timeoutMs - elapsedMs) / 1_000)} s left to power down`;
      emit({ type: "waiting", step: "power down", elapsedMs, reason });
    }
    if (await waitForEnd(system, qemu, Math.min(100, timeoutMs - elapsedMs))) return true;
  }
}

function stoppedWaiting(name: string) {
  return refusal("VM_TIMEOUT", {
    found: `the wait for ${name} to power down was interrupted`,
    needed: "time for the guest to react",
    fix: `it may still power down; or end it now: qlaunch down ${name} --force`,
  });
}
