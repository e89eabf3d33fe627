import { expect, it } from "vitest";
import type { LiveVm } from "../../src/hotplug/live.ts";
import { withRecentAnswers } from "../../src/hotplug/recent-answers.ts";
import { addVcpus } from "../../src/hotplug/vcpu-add.ts";
import { presentIds } from "../../src/hotplug/vcpu-list.ts";
import type { QmpClient } from "../../src/qmp/index.ts";
import type { Request } from "../qmp/peer.ts";
import { openLive } from "./live.ts";
import { fourCells } from "./placement.ts";

/** A guest of one vCPU under TCG, whose QEMU refuses one of them; what it is sent is written down. */
async function open(refused?: string) {
  const sent: string[] = [];
  const present = new Map([[0, "/machine/unattached/device[0]"]]);
  const answer = ({ execute = "", arguments: given = {} }: Request) => {
    sent.push(execute === "device_add" ? String(given.id) : execute);
    if (execute === "query-kvm") return { return: { enabled: false, present: true } };
    if (execute === "query-cpus-fast") return { return: [...present].map(([id, path]) => cpu(id, path)) };
    if (given.id === refused) return { error: { class: "GenericError", desc: "no" } };
    present.set(Number(String(given.id).slice(3)), `/machine/peripheral/${given.id}`);
    return { return: {} };
  };
  const record: { vcpusMade?: number } = { vcpusMade: 1 };
  const journal = { record, update: (changes: object) => void Object.assign(record, changes) };
  const plan = { placement: fourCells, options: [{ option: "cpu", model: "max", properties: {} }] };
  const { live, peer } = await openLive({ plan, journal });
  void (async () => {
    for (;;) {
      const request = await peer.take();
      peer.send({ ...answer(request), id: request.id });
    }
  })();
  // Its clock stands still: no answer gets old.
  const qmp = withRecentAnswers(live.qmp as QmpClient, () => 0);
  return { live: { ...live, qmp } as LiveVm, sent, record };
}

const cpu = (id: number, path: string) => ({
  "cpu-index": id,
  "thread-id": 4700 + id,
  "qom-path": path,
  target: "x86_64",
  props: { "socket-id": id >> 2, "core-id": (id >> 1) & 1, "thread-id": id & 1 },
});

it("asks for eight at a time, and no question twice", async () => {
  const { live, sent, record } = await open();
  expect(presentIds(await addVcpus(live, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))).toEqual([
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  ]);
  expect(sent).toEqual([
    ...["query-cpus-fast", "query-kvm"],
    ...["cpu1", "cpu2", "cpu3", "cpu4", "cpu5", "cpu6", "cpu7", "cpu8", "query-cpus-fast"],
    ...["cpu9", "cpu10", "query-cpus-fast"],
  ]);
  expect(record.vcpusMade).toBe(11);
});

it("keeps those beside one that QEMU refuses, and asks for no more", async () => {
  const { live, sent, record } = await open("cpu2");
  await expect(addVcpus(live, [1, 2, 3, 4, 5, 6, 7, 8, 9])).rejects.toThrow("no");
  expect(sent.slice(2)).toEqual([
    ...["cpu1", "cpu2", "cpu3", "cpu4", "cpu5", "cpu6", "cpu7", "cpu8", "query-cpus-fast"],
  ]);
  // The one that was never asked for is given back; of the others it does not matter who came.
  expect(record.vcpusMade).toBe(9);
});
