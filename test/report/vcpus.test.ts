import { expect, it } from "vitest";
import type { HostNode } from "../../src/host/topology.ts";
import { renderVcpus } from "../../src/report/index.ts";
import { plain } from "./style.ts";

const node = (id: number, cpus: number[]): HostNode => ({
  id,
  cpus,
  memoryBytes: 2 ** 30,
  freeBytes: 2 ** 30,
  hugepages: [],
  distances: [10, 20],
});

it("a vCPU a line, with where it runs, where it may, and the map", () => {
  const threads = [
    {
      vcpu: 0,
      threadId: 4711,
      cell: 0,
      plannedCpus: [0, 1],
      allowedCpus: [0, 1],
      lastCpu: 1,
      lastNode: 0,
      cpuTimeMs: 1500,
    },
    {
      vcpu: 10,
      threadId: 4721,
      cell: undefined,
      plannedCpus: undefined,
      allowedCpus: [0, 1, 2, 3],
      lastCpu: 3,
      lastNode: undefined,
      cpuTimeMs: 20,
    },
  ];
  expect(renderVcpus(threads, [node(0, [0, 1]), node(1, [2, 3])], plain)).toEqual([
    "vCPU  cell  thread  host CPU  node   time  planned  allowed  affinity",
    "   0     0    4711         1     0  1.5 s  0-1      0-1      yy --",
    "  10     -    4721         3     -  20 ms  -        0-3      yy yy",
    "",
    "node 0: 0-1",
    "node 1: 2-3",
  ]);
});
