import { describe, expect, it } from "vitest";
import { plan, problems, values, type World } from "./planning.ts";

const sparse: World = { host: "sparse" };
const guest = (cells: object[], more: object = {}) => ({
  cpus: { boot: 4 },
  memory: { size: `${cells.length}G` },
  numa: { cells: cells.map((cell) => ({ memory: "1G", ...cell })) },
  pinning: { vcpus: "none" },
  ...more,
});
const two = [{ cpus: "0-1" }, { cpus: "2-3" }];

describe("cells", () => {
  it("have their vCPUs and a memory backend each", () => {
    const planned = plan(guest(two));
    expect(values(planned, "numa")).toEqual([
      "node,nodeid=0,cpus=0-1,memdev=ram-node0",
      "node,nodeid=1,cpus=2-3,memdev=ram-node1",
    ]);
  });

  it("may be without CPUs or without memory", () => {
    const planned = plan({ ...guest([{ cpus: "0-3", memory: "0" }, {}]), memory: { size: "1G" } });
    expect(values(planned, "numa")).toEqual(["node,nodeid=0,cpus=0-3", "node,nodeid=1,memdev=ram-node1"]);
  });

  it("are one that QEMU makes itself when the profile has none", () => {
    const planned = plan();
    expect(values(planned, "numa")).toEqual([]);
    expect(planned.placement.cells).toMatchObject([
      { id: 0, vcpus: [0, 1], memoryBytes: 2 ** 30, memdev: "ram-node0" },
    ]);
  });

  it.each([
    [
      "a vCPU in no cell",
      [{ cpus: "0-1" }, { cpus: "3" }],
      "NUMA_CPU_MISSING numa.cells: vCPU 2 in no cell; each of the vCPUs 0-3 in one cell",
    ],
    [
      "a vCPU in two",
      [{ cpus: "0-2" }, { cpus: "2-3" }],
      "NUMA_CPU_TWICE numa.cells[1].cpus: vCPU 2 in cell 1 and in cell 0; every vCPU in one cell",
    ],
    [
      "one beyond the last",
      [{ cpus: "0-1" }, { cpus: "2-5" }],
      "NUMA_CPU_BEYOND_MAX numa.cells[1].cpus: vCPU 4-5 in cell 1, and the guest has 0-3; vCPUs below 4",
    ],
  ])("refuse %s", (_, cells, problem) => expect(problems(guest(cells))).toEqual([problem]));

  it("keep the threads of a core together", () => {
    const cpus = { boot: 4, topology: { cores: 2, threads: 2 } };
    expect(problems(guest([{ cpus: "0,2" }, { cpus: "1,3" }], { cpus }))).toEqual([
      "NUMA_CORE_SPLIT numa.cells[0].cpus: cell 0 has vCPU 0,2 without the other threads of their cores; cores whole: 2 consecutive vCPUs are one core",
      "NUMA_CORE_SPLIT numa.cells[1].cpus: cell 1 has vCPU 1,3 without the other threads of their cores; cores whole: 2 consecutive vCPUs are one core",
    ]);
    expect(problems(guest([{ cpus: "0,2" }, { cpus: "1,3" }]))).toEqual([]);
  });

  it("must sum to the memory, told exactly", () => {
    const cells = [{ cpus: "0-3" }, { memory: "1025M" }];
    expect(problems(guest(cells))).toEqual([
      "NUMA_MEMORY_SUM memory.size: 2G in all, and 2049M in 2 cells (1G + 1025M); cells that sum to memory.size",
    ]);
  });
});

describe("distances", () => {
  const withDistances = (first?: number[], second?: number[]) =>
    guest([
      { cpus: "0-1", ...(first ? { distances: first } : {}) },
      { cpus: "2-3", ...(second ? { distances: second } : {}) },
    ]);

  it("are told for each pair in each direction", () => {
    const planned = plan(withDistances([10, 21], [31, 10]));
    expect(values(planned, "numa").filter((value) => value.startsWith("dist"))).toEqual([
      "dist,src=0,dst=0,val=10",
      "dist,src=0,dst=1,val=21",
      "dist,src=1,dst=0,val=31",
      "dist,src=1,dst=1,val=10",
    ]);
  });

  it("are left to the guest when the profile has none", () => {
    expect(values(plan(guest(two)), "numa").join()).not.toContain("dist");
  });

  it.each([
    [
      [10, 21],
      undefined,
      "NUMA_DISTANCES numa.cells[1].distances: cell 1 has no distances, cell 0 has; distances in every cell, or in none",
    ],
    [
      [10, 21, 21],
      [21, 10],
      "NUMA_DISTANCES numa.cells[0].distances: 3 distances in cell 0 of 2 cells; one number for each cell, 2 in all",
    ],
    [
      [11, 21],
      [21, 10],
      "NUMA_DISTANCES numa.cells[0].distances: cell 0 is at distance 11 from itself; 10, which means local",
    ],
    [
      [10, 10],
      [21, 10],
      "NUMA_DISTANCES numa.cells[0].distances: cell 0 is at distance 10 from cell 1; 11 or more to another cell: Linux discards a table that calls another node local",
    ],
  ])("%j and %j are refused", (first, second, problem) => {
    expect(problems(withDistances(first, second))).toEqual([problem]);
  });
});

describe("policy", () => {
  const bound = (cell: object) => guest([{ cpus: "0-3", ...cell }]);
  const backend = (cell: object, world = sparse) => values(plan(bound(cell), world), "object")[0];

  it("is bind where there are host nodes, and none where there are not", () => {
    expect(backend({ hostNodes: "0,8" })).toContain("host-nodes=0,host-nodes=8,policy=bind");
    expect(backend({})).not.toContain("policy");
    expect(backend({ hostNodes: "0,5", policy: "interleave" })).toContain("policy=interleave");
  });

  it.each([
    [
      { policy: "bind" },
      "NUMA_POLICY numa.cells[0].policy: policy bind without host nodes; hostNodes, which the policy is about",
    ],
    [{ hostNodes: "" }, "NUMA_POLICY numa.cells[0].hostNodes: an empty set of host nodes; at least one node"],
    [
      { hostNodes: "0-1" },
      "HOST_NODE_ABSENT numa.cells[0].hostNodes: host node 1 does not exist; nodes of this host: 0,2,5,8",
    ],
    [
      { hostNodes: "0,2" },
      "HOST_NODE_ABSENT numa.cells[0].hostNodes: host node 2 has no memory; nodes with memory, since the cell's memory is bound to them",
    ],
    [
      { hostNodes: "0,8", policy: "preferred" },
      "(warning) NUMA_POLICY numa.cells[0].hostNodes: policy preferred with nodes 0,8; one node: QEMU 7.2 uses only the first",
    ],
  ])("%j is told of", (cell, problem) => expect(problems(bound(cell), sparse)).toEqual([problem]));
});
