import { expect, it } from "vitest";
import { matchVcpus, presentIds } from "../../src/hotplug/vcpu-list.ts";
import { fourCells } from "./placement.ts";

const slot = (id: number, path?: string, parts = {}) => ({
  type: "max-x86_64-cpu",
  "vcpus-count": 1,
  props: { "socket-id": id >> 2, "core-id": (id >> 1) & 1, "thread-id": id & 1, ...parts },
  ...(path === undefined ? {} : { "qom-path": path }),
});
const cpu = (index: number, path: string, thread: number) => ({
  "cpu-index": index,
  "qom-path": path,
  "thread-id": thread,
  target: "x86_64",
});

it("knows a slot by its place, with and without the parts that there is one of", () => {
  const vcpus = matchVcpus(
    fourCells.vcpus,
    [slot(5, "/machine/peripheral/cpu5", { "die-id": 0 }), slot(4), slot(0, "/machine/unattached/device[0]")],
    [cpu(5, "/machine/peripheral/cpu5", 4711), cpu(0, "/machine/unattached/device[0]", 4700)],
  );
  expect(presentIds(vcpus)).toEqual([0, 5]);
  expect(vcpus[5]).toMatchObject({ present: true, deviceId: "cpu5", threadId: 4711 });
  // -smp made it: it has no id to remove it by.
  expect(vcpus[0]).toMatchObject({ present: true, deviceId: undefined, threadId: 4700 });
  expect(vcpus[4]).toMatchObject({ present: false, deviceId: undefined, threadId: undefined });
});
