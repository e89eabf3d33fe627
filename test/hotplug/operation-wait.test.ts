import { expect, it, onTestFinished } from "vitest";
import type { Event } from "../../src/events/event.ts";
import type { LiveVm } from "../../src/hotplug/live.ts";
import { listenToGuest, StillPending, waitForGuest } from "../../src/hotplug/operation-wait.ts";
import { connectQmp } from "../../src/qmp/index.ts";
import { realSystem } from "../../src/system/index.ts";
import { Peer } from "../qmp/peer.ts";

/** As much of a VM as a wait looks at, with a monitor that the test speaks for. */
async function openLive(changes: Partial<LiveVm> = {}) {
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

const deleted = { event: "DEVICE_DELETED", data: { device: "cpu4", path: "/machine/peripheral/cpu4" } };
const wait = { step: "wait for the guest", awaited: () => "given up vCPU 4" };

it("looks before it waits", async () => {
  const { live, events } = await openLive();
  const found = await waitForGuest(live, { ...wait, events: listenToGuest(live), look: async () => 7 });
  expect(found).toBe(7);
  expect(events.map(({ type }) => type)).toEqual(["step-started", "step-ended"]);
});

it("is woken up by an event, and believes only what it sees then", async () => {
  const { live, peer } = await openLive();
  const events = listenToGuest(live);
  let looks = 0;
  peer.send({ ...deleted, timestamp: { seconds: 1, microseconds: 0 } });
  const found = await waitForGuest(live, {
    ...wait,
    events,
    look: async () => (++looks > 1 ? "gone" : undefined),
  });
  expect(found).toBe("gone");
});

it("finds out without any event", async () => {
  const { live } = await openLive();
  let looks = 0;
  const look = async () => (++looks > 3 ? "gone" : undefined);
  expect(await waitForGuest(live, { ...wait, events: listenToGuest(live), look })).toBe("gone");
});

it("lets an event end it", async () => {
  const { live, peer } = await openLive();
  const events = listenToGuest(live);
  const onEvent = () => {
    throw new Error("the guest refused");
  };
  peer.send({ ...deleted, timestamp: { seconds: 1, microseconds: 0 } });
  await expect(waitForGuest(live, { ...wait, events, onEvent, look: async () => undefined })).rejects.toThrow(
    "the guest refused",
  );
});

it.each([
  ["timeout", { timeoutMs: 5 }, "VM_TIMEOUT: the guest of gpu has not given up vCPU 4 within 0.005 s"],
  ["no-wait", { noWait: true }, "LIVE_INTERRUPTED: the guest of gpu has not given up vCPU 4"],
  [
    "interrupted",
    { signal: AbortSignal.abort() },
    "LIVE_INTERRUPTED: the guest of gpu has not given up vCPU 4",
  ],
] as const)("leaves the operation pending: %s", async (why, changes, message) => {
  const { live } = await openLive(changes);
  const error = await waitForGuest(live, {
    ...wait,
    events: listenToGuest(live),
    look: async () => undefined,
  }).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StillPending);
  expect(error).toMatchObject({ why, exitStatus: 1 });
  expect(String(error)).toContain(message);
});

it("stops when it is interrupted in the middle", async () => {
  const controller = new AbortController();
  const { live, events } = await openLive({ signal: controller.signal });
  const look = async () => {
    controller.abort(new Error("stopped by SIGINT"));
    return undefined;
  };
  await expect(waitForGuest(live, { ...wait, events: listenToGuest(live), look })).rejects.toThrow(
    StillPending,
  );
  expect(events.at(-1)?.type).toBe("step-failed");
});
