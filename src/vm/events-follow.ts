import type { EventSink } from "../events/event.ts";
import { connectQmp, type QmpClient, QmpDisconnectedError } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { findVm } from "./find.ts";
import { explainConnect, requireRunning } from "./session.ts";

export interface FollowOptions {
  readonly emit: EventSink;
  readonly signal?: AbortSignal;
}

const busyMs = 3_000;

/**
 * Emits QEMU's events from now on, until the VM ends or the signal aborts. It stays on the monitor for people, so
 * that other commands find theirs free.
 * @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY
 */
export async function followEvents(system: System, name: string, options: FollowOptions): Promise<void> {
  const found = findVm(system, name);
  requireRunning(system, found);
  const { monitorSocket } = found.places;
  let qmp: QmpClient;
  try {
    qmp = await connectQmp(await system.sockets.connect(monitorSocket), { greetingTimeoutMs: busyMs });
  } catch (error) {
    throw explainConnect(name, monitorSocket, error);
  }
  const onAbort = () => void qmp.close();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    if (options.signal?.aborted) return;
    for await (const { event, data, timestamp } of qmp.listen()) {
      const timestampMs = timestamp.seconds * 1000 + Math.floor(timestamp.microseconds / 1000);
      options.emit({ type: "qmp-event", name: event, data, timestampMs });
    }
  } catch (error) {
    if (!(error instanceof QmpDisconnectedError)) throw error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    await qmp.close();
  }
}
