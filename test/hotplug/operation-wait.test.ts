import { expect, it } from "vitest";
import { listenToGuest, StillPending, waitForGuest } from "../../src/hotplug/operation-wait.ts";
import { openLive } from "./live.ts";

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
  expect(error).toMatchObject({ why });
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
