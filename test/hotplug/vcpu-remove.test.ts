import { expect, it } from "vitest";
import { listenToGuest } from "../../src/hotplug/operation-wait.ts";
import { awaitRemoval, requestRemoval } from "../../src/hotplug/vcpu-remove.ts";
import type { Peer } from "../qmp/peer.ts";
import { openLive } from "./live.ts";
import { fourCells } from "./placement.ts";

const path = (id: number) => `/machine/peripheral/cpu${id}`;

/** Answers as a QEMU whose guest has these vCPUs; `refuse` makes device_del fail with its words. */
async function playQemu(peer: Peer, present: Set<number>, refuse?: string): Promise<string[]> {
  const deleted: string[] = [];
  const answer = (execute: string | undefined, data: Record<string, unknown> = {}) => {
    if (execute === "device_del") {
      deleted.push(String(data.id));
      return refuse === undefined ? { return: {} } : { error: { class: "GenericError", desc: refuse } };
    }
    const cpus = [...present].map((id) => ({
      "cpu-index": id,
      "thread-id": 4700 + id,
      target: "x86_64",
      props: { "socket-id": id >> 2, "core-id": (id >> 1) & 1, "thread-id": id & 1 },
      "qom-path": path(id),
    }));
    return { return: cpus };
  };
  void (async () => {
    for (;;) {
      const request = await peer.take();
      peer.send({ ...answer(request.execute, request.arguments), id: request.id });
    }
  })();
  return deleted;
}

const plan = { placement: fourCells };
const ost = (slot: number, status: number) => ({
  event: "ACPI_DEVICE_OST",
  data: { info: { slot: String(slot), "slot-type": "CPU", source: 3, status } },
  timestamp: { seconds: 1, microseconds: 0 },
});

it("asks for each that is there, and for none that is gone", async () => {
  const { live, peer } = await openLive({ plan });
  const deleted = await playQemu(peer, new Set([0, 1, 4]));
  await requestRemoval(live, [5, 4, 1]);
  expect(deleted).toEqual(["cpu4", "cpu1"]);
});

it("explains a guest that has not booted far enough", async () => {
  const { live, peer } = await openLive({ plan });
  await playQemu(peer, new Set([0, 1]), "acpi: device unplug request for not supported device type: x");
  await expect(requestRemoval(live, [1])).rejects.toThrow(
    "LIVE_GUEST_NOT_READY: the guest of gpu has not booted far enough to give up vCPUs",
  );
});

it("believes the list alone: a status of 0 proves nothing", async () => {
  const { live, peer } = await openLive({ plan });
  const present = new Set([0, 1]);
  await playQemu(peer, present);
  const events = listenToGuest(live);
  peer.send(ost(1, 132), ost(1, 0));
  setTimeout(() => present.delete(1), 300);
  const vcpus = await awaitRemoval(live, [1], events);
  expect(vcpus.filter((vcpu) => vcpu.present).map(({ placed }) => placed.id)).toEqual([0]);
});

it("tells a refusal once every other one is gone", async () => {
  const { live, peer } = await openLive({ plan });
  const present = new Set([0, 1, 4]);
  await playQemu(peer, present);
  const events = listenToGuest(live);
  peer.send(ost(4, 130));
  setTimeout(() => present.delete(1), 300);
  await expect(awaitRemoval(live, [4, 1], events)).rejects.toThrow(
    "LIVE_GUEST_REFUSED: the guest of gpu does not give up vCPU 4: it is busy",
  );
  expect(present).toEqual(new Set([0, 4]));
});
