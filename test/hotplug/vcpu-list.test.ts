import { expect, it } from "vitest";
import { matchVcpus, presentIds } from "../../src/hotplug/vcpu-list.ts";
import { fourCells } from "./placement.ts";

const cpu = (index: number, path: string, thread: number, parts = {}) => ({
  "cpu-index": index,
  props: { "socket-id": index >> 2, "core-id": (index >> 1) & 1, "thread-id": index & 1, ...parts },
  "qom-path": path,
  "thread-id": thread,
  target: "x86_64",
});

it("knows a vCPU by its place, with and without the parts that there is one of", () => {
  const vcpus = matchVcpus(fourCells.vcpus, [
    cpu(5, "/machine/peripheral/cpu5", 4711, { "die-id": 0 }),
    cpu(0, "/machine/unattached/device[0]", 4700),
  ]);
  expect(presentIds(vcpus)).toEqual([0, 5]);
  expect(vcpus[5]).toMatchObject({ present: true, deviceId: "cpu5", threadId: 4711 });
  // -smp made it: it has no id to remove it by.
  expect(vcpus[0]).toMatchObject({ present: true, deviceId: undefined, threadId: 4700 });
  expect(vcpus[4]).toMatchObject({ present: false, deviceId: undefined, threadId: undefined });
});
