import { onTestFinished } from "vitest";
import type { Event } from "../../src/events/event.ts";
import type { LiveVm } from "../../src/hotplug/live.ts";
import { connectQmp } from "../../src/qmp/index.ts";
import { realSystem } from "../../src/system/index.ts";
import { Peer } from "../qmp/peer.ts";

/** As much of a VM as a wait looks at, with a monitor that the test speaks for. */
export async function openLive(changes: object = {}) {
  const peer = new Peer();
  const connecting = connectQmp(peer.transport);
  await peer.negotiate();
  const qmp = await connecting;
  onTestFinished(async () => {
    peer.end();
    await qmp.close();
  });
  const events: Event[] = [];
  const live = {
    system: realSystem,
    name: "gpu",
    qmp,
    emit: (event: Event) => void events.push(event),
    timeoutMs: 60_000,
    noWait: false,
    signal: undefined,
    ...changes,
  } as unknown as LiveVm;
  return { live, peer, events };
}
