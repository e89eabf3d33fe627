import { expect, it } from "vitest";
import { readNodes } from "../../src/host/nodes.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const folder = "/sys/devices/system/node";

function meminfo(node: number, totalKiB: number, freeKiB: number): string {
  return [
    `Node ${node} MemTotal:       ${totalKiB} kB`,
    `Node ${node} MemFree:        ${freeKiB} kB`,
    `Node ${node} Dirty:          1 kB`,
    `Node ${node} Writeback:      2 kB`,
    `Node ${node} Active(file):   100 kB`,
    `Node ${node} Inactive(file): 200 kB`,
    `Node ${node} Active(anon):   4000 kB`,
    `Node ${node} SReclaimable:   50 kB`,
    `Node ${node} HugePages_Total:     7`,
    "",
  ].join("\n");
}

it("reads nodes with gaps in their ids, without memory and without CPUs", () => {
  const { files } = fakeSystem({
    [`${folder}/online`]: "0,2,5\n",
    [`${folder}/node0/cpulist`]: "0-1,4\n",
    [`${folder}/node0/meminfo`]: meminfo(0, 8192, 4096),
    [`${folder}/node0/distance`]: "10 21 17\n",
    [`${folder}/node2/cpulist`]: "2-3\n",
    [`${folder}/node2/meminfo`]: "Node 2 MemTotal: 0 kB\nNode 2 MemFree: 0 kB\n",
    [`${folder}/node2/distance`]: "21 10 28\n",
    [`${folder}/node5/cpulist`]: "\n",
    [`${folder}/node5/meminfo`]: meminfo(5, 1024, 512),
    [`${folder}/node5/distance`]: "17 28 10\n",
    [`${folder}/node5/hugepages/hugepages-1048576kB/nr_hugepages`]: "4\n",
    [`${folder}/node5/hugepages/hugepages-1048576kB/free_hugepages`]: "3\n",
    [`${folder}/node5/hugepages/hugepages-2048kB/nr_hugepages`]: "0\n",
    [`${folder}/node5/hugepages/hugepages-2048kB/free_hugepages`]: "0\n",
  });
  expect(readNodes(files, [0, 1, 2, 3, 4])).toEqual([
    {
      id: 0,
      cpus: [0, 1, 4],
      memoryBytes: 8192 * 1024,
      freeBytes: 4096 * 1024,
      reclaimableBytes: 347 * 1024,
      hugepages: [],
      distances: [10, 21, 17],
    },
    {
      id: 2,
      cpus: [2, 3],
      memoryBytes: 0,
      freeBytes: 0,
      reclaimableBytes: 0,
      hugepages: [],
      distances: [21, 10, 28],
    },
    {
      id: 5,
      cpus: [],
      memoryBytes: 1024 * 1024,
      freeBytes: 512 * 1024,
      reclaimableBytes: 347 * 1024,
      hugepages: [
        { pageSizeBytes: 2 ** 21, total: 0, free: 0 },
        { pageSizeBytes: 2 ** 30, total: 4, free: 3 },
      ],
      distances: [17, 28, 10],
    },
  ]);
});

const machineFiles = {
  "/proc/meminfo": "MemTotal:  4096 kB\nMemFree:  1024 kB\nActive(file):  10 kB\n",
  "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "8\n",
  "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "6\n",
  "/sys/kernel/mm/hugepages/hugepages-2048kB/resv_hugepages": "2\n",
};
const wholeMachine = {
  cpus: [0, 1],
  memoryBytes: 4096 * 1024,
  freeBytes: 1024 * 1024,
  reclaimableBytes: 10 * 1024,
  hugepages: [{ pageSizeBytes: 2 ** 21, total: 8, free: 4 }],
  distances: [10],
};

it("makes one node 0 of a kernel without NUMA", () => {
  expect(readNodes(fakeSystem(machineFiles).files, [0, 1])).toEqual([{ id: 0, ...wholeMachine }]);
});

it("counts by the machine where there is one node, and keeps that node's id", () => {
  const tree = {
    ...machineFiles,
    [`${folder}/online`]: "3\n",
    [`${folder}/node3/meminfo`]: "Node 3 MemTotal: 1 kB\n",
  };
  expect(readNodes(fakeSystem(tree).files, [0, 1])).toEqual([{ id: 3, ...wholeMachine }]);
});

it("takes 10 and 20 where the kernel has no distances", () => {
  const { files } = fakeSystem({ [`${folder}/online`]: "0-1\n" });
  expect(readNodes(files, []).map((node) => node.distances)).toEqual([
    [10, 20],
    [20, 10],
  ]);
});
