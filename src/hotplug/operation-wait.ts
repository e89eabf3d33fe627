import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import { type EventName, type QmpEvent, type QmpListener, QmpTimeoutError } from "../qmp/index.ts";
import type { LiveVm } from "./live.ts";

/** The operation goes on without us: it stays pending, in the state it is in. */
export class StillPending extends QlaunchError {
  readonly why: "no-wait" | "timeout" | "interrupted";

  constructor(why: StillPending["why"], problem: Pick<Diagnostic, "found" | "needed" | "fix">) {
    const code = why === "timeout" ? "VM_TIMEOUT" : "LIVE_INTERRUPTED";
    super([{ code, severity: "error", path: [], ...problem }]);
    this.why = why;
  }
}

export interface GuestWait<Found> {
  /** "wait for the guest" */
  readonly step: string;
  /** What is waited for, as the end of "the guest has not yet ...": "given up vCPU 8-15". */
  readonly awaited: () => string;
  /** Opened before the command that the guest answers; events only wake the wait up early. */
  readonly events: GuestEvents;
  /** Sees each event first; what it throws ends the wait. */
  readonly onEvent?: (event: GuestEvent) => void;
  /** Asks QEMU's own lists. Undefined: not yet. */
  readonly look: () => Promise<Found | undefined>;
  readonly summarize?: (found: Found) => string;
}

/** The events by which a guest says what it does with hot-plugged things. */
const guestEvents = [
  "DEVICE_DELETED",
  "DEVICE_UNPLUG_GUEST_ERROR",
  "ACPI_DEVICE_OST",
  "MEMORY_DEVICE_SIZE_CHANGE",
] as const satisfies readonly EventName[];

export type GuestEvent = QmpEvent<(typeof guestEvents)[number]>;
export type GuestEvents = QmpListener<GuestEvent>;

/** Opened before the command that the guest answers, and closed after. */
export const listenToGuest = ({ qmp }: LiveVm): GuestEvents => qmp.listen(guestEvents);

/** Looks often at first, later once a second. */
const firstPauseMs = 100;
const longestPauseMs = 1_000;
/** A guest that acts at once needs no words about it. */
const quietMs = 1_000;

/**
 * Waits until QEMU's own lists say that the guest has acted. With `--no-wait` it looks once.
 * @throws StillPending, or what `onEvent` throws
 */
export async function waitForGuest<Found>(live: LiveVm, wait: GuestWait<Found>): Promise<Found> {
  const { clock } = live.system;
  const began = clock.elapsedMs();
  const elapsedMs = () => clock.elapsedMs() - began;
  live.emit({ type: "step-started", step: wait.step });
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      const found = await wait.look();
      if (found !== undefined) {
        const summary = wait.summarize?.(found) ?? "";
        live.emit({ type: "step-ended", step: wait.step, elapsedMs: elapsedMs(), summary });
        return found;
      }
      const leftMs = live.timeoutMs - elapsedMs();
      if (live.noWait) throw pending(live, "no-wait", wait);
      if (leftMs <= 0) throw pending(live, "timeout", wait);
      if (live.signal?.aborted) throw pending(live, "interrupted", wait);
      if (elapsedMs() >= quietMs) {
        const reason = `the guest has not yet ${wait.awaited()}`;
        live.emit({ type: "waiting", step: wait.step, elapsedMs: elapsedMs(), reason });
      }
      const event = await nextEvent(live, wait.events, Math.min(pauseMs, leftMs));
      if (event !== undefined) {
        wait.onEvent?.(event);
        pauseMs = firstPauseMs;
      }
    }
  } catch (error) {
    if (!(error instanceof StillPending && error.why === "no-wait"))
      live.emit({ type: "step-failed", step: wait.step, elapsedMs: elapsedMs() });
    throw error;
  }
}

/** Undefined when none comes in time, or the command is interrupted. */
async function nextEvent(
  { signal }: LiveVm,
  events: GuestEvents,
  timeoutMs: number,
): Promise<GuestEvent | undefined> {
  try {
    return await events.next({
      timeoutMs: Math.max(1, timeoutMs),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof QmpTimeoutError || signal?.aborted) return undefined;
    throw error;
  }
}

function pending(
  { name, timeoutMs }: LiveVm,
  why: StillPending["why"],
  { awaited }: Pick<GuestWait<unknown>, "awaited">,
): StillPending {
  const within = why === "timeout" ? ` within ${timeoutMs / 1000} s` : "";
  return new StillPending(why, {
    found: `the guest of ${name} has not ${awaited()}${within}; the request stays with it`,
    needed: "the guest to act on it",
    fix: `see how far it is: qlaunch ops ${name}; go on waiting: qlaunch ops resume ${name}`,
  });
}
