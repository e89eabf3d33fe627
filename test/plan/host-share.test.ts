import { expect, it } from "vitest";
import { formatIdSet } from "../../src/units/index.ts";
import { plan, problems, recordedHost } from "./planning.ts";

/** A batch job has half of two nodes of four. */
const host = { ...recordedHost("ol8"), share: { cpus: [15, 16, 75, 76, 30, 31, 90], nodes: [1, 2] } };
const guest = (given: object) => ({ cpus: { boot: 4 }, memory: { size: "4G" }, ...given });

it("automatic pins stay within what the cpuset leaves", () => {
  const planned = plan(guest({ numa: { partition: {} } }), { host });
  expect(planned.placement.cells.map(({ hostNodes }) => formatIdSet(hostNodes ?? []))).toEqual(["1", "2"]);
  expect(planned.placement.vcpus.map(({ hostCpus }) => formatIdSet(hostCpus ?? []))).toEqual([
    ...["15", "16", "30", "90"],
  ]);
  expect(planned.placement.emulator).toEqual([31, 75, 76]);
});

it("turns for vCPUs that share do so too", () => {
  const pinning = { vcpus: "auto", overcommit: true };
  const planned = plan(guest({ cpus: { boot: 8 }, pinning }), { host });
  expect(formatIdSet(planned.placement.vcpus[0]?.hostCpus ?? [])).toBe("15-16,30-31,75-76,90");
});

it("a pin or a node outside is refused", () => {
  const cells = [{ cpus: "0-3", memory: "4G", hostNodes: "0" }];
  expect(problems(guest({ numa: { cells }, pinning: { vcpus: { "0-3": "0-3" } } }), { host })).toEqual([
    "HOST_NODE_ABSENT numa.cells[0].hostNodes: host node 0 is outside the cpuset that this program runs in; nodes of that cpuset: 1-2",
    'HOST_CPU_ABSENT pinning.vcpus["0-3"]: host CPU 0-3 is outside the cpuset that this program runs in; online CPUs of this cpuset: 15-16,30-31,75-76,90',
  ]);
});

it("memory that is not bound has only the nodes of the cpuset", () => {
  expect(problems(guest({ memory: { size: "300G" } }), { host })).toEqual([
    expect.stringContaining("HOST_MEMORY_SHORT memory.size: host nodes 1-2 have"),
  ]);
});
