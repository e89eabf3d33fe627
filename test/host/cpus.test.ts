import fc from "fast-check";
import { expect, it } from "vitest";
import { readCpus, readOnlineCpus } from "../../src/host/cpus.ts";
import type { HostCpu, HostNode } from "../../src/host/index.ts";
import { fakeSystem } from "../rig/fake-system.ts";
import { cpuFiles } from "./sysfs.ts";

const folder = "/sys/devices/system/cpu";

function node(id: number, cpus: readonly number[]): HostNode {
  return { id, cpus, memoryBytes: 0, freeBytes: 0, hugepages: [], distances: [] };
}

/** Machines with one node a socket, any numbering of the threads, and some CPUs offline or isolated. */
const machines = fc
  .record({
    sockets: fc.integer({ min: 1, max: 4 }),
    dies: fc.integer({ min: 1, max: 2 }),
    cores: fc.integer({ min: 1, max: 4 }),
    threads: fc.integer({ min: 1, max: 2 }),
    adjacent: fc.boolean(),
    offline: fc.func(fc.boolean()),
    isolated: fc.func(fc.boolean()),
  })
  .map(({ sockets, dies, cores, threads, adjacent, offline, isolated }) => {
    const coreCount = sockets * dies * cores;
    const idOf = (core: number, thread: number) =>
      adjacent ? core * threads + thread : thread * coreCount + core;
    const isOnline = (id: number) => id === 0 || !offline(id);
    return Array.from({ length: coreCount * threads }, (_, id): HostCpu => {
      const core = adjacent ? Math.floor(id / threads) : id % coreCount;
      if (!isOnline(id)) return { ...hidden, id, isolated: isolated(id) };
      const socket = Math.floor(core / (dies * cores));
      return {
        id,
        online: true,
        node: socket,
        socket,
        die: Math.floor(core / cores) % dies,
        core: core % cores,
        siblings: Array.from({ length: threads }, (_, thread) => idOf(core, thread)).filter(isOnline),
        isolated: isolated(id),
      };
    });
  });

const hidden = { online: false, node: -1, socket: -1, die: -1, core: -1, siblings: [] };

it("reads back any machine that sysfs can show", () => {
  fc.assert(
    fc.property(machines, (cpus) => {
      const nodes = [0, 1, 2, 3].map((id) =>
        node(
          id,
          cpus.filter((cpu) => cpu.node === id).map((cpu) => cpu.id),
        ),
      );
      expect(readCpus(fakeSystem(cpuFiles(cpus)).files, nodes)).toEqual(cpus);
    }),
  );
});

it("reads four files a core, however many threads it has", () => {
  const cpus = Array.from(
    { length: 64 },
    (_, id): HostCpu => ({
      ...hidden,
      id,
      online: true,
      socket: 0,
      die: 0,
      core: id % 32,
      siblings: [id % 32, (id % 32) + 32],
      isolated: false,
    }),
  );
  const { files } = fakeSystem(cpuFiles(cpus));
  const read: string[] = [];
  const tryReadText = (path: string) => {
    read.push(path);
    return files.tryReadText(path);
  };
  readCpus({ ...files, tryReadText }, []);
  expect(read.filter((path) => path.includes("/topology/"))).toHaveLength(32 * 4);
});

it("takes an old kernel's word: no die, no present list, no isolated list", () => {
  const topology = `${folder}/cpu0/topology`;
  const { files } = fakeSystem({
    [`${folder}/online`]: "0\n",
    [`${topology}/physical_package_id`]: "-1\n",
    [`${topology}/core_id`]: "0\n",
    [`${topology}/thread_siblings_list`]: "0\n",
  });
  expect(readCpus(files, [node(0, [0])])).toEqual([
    { id: 0, online: true, node: 0, socket: 0, die: 0, core: 0, siblings: [0], isolated: false },
  ]);
});

it("gives a CPU without a topology a core of its own", () => {
  const { files } = fakeSystem({ [`${folder}/online`]: "0-1\n" });
  expect(readCpus(files, []).map(({ core, siblings }) => ({ core, siblings }))).toEqual([
    { core: 0, siblings: [0] },
    { core: 1, siblings: [1] },
  ]);
  expect(readOnlineCpus(files)).toEqual([0, 1]);
});

it("knows who shares a level 3 cache, and who runs without ticks", () => {
  const cache = (cpu: number, level: string, sharers: string) => ({
    [`${folder}/cpu${cpu}/cache/index3/level`]: `${level}\n`,
    [`${folder}/cpu${cpu}/cache/index3/shared_cpu_list`]: `${sharers}\n`,
  });
  const listed = { [`${folder}/online`]: "0-3\n", [`${folder}/nohz_full`]: "2-3\n" };
  const facts = (tree: object) =>
    readCpus(fakeSystem({ ...listed, ...tree }).files, []).map(({ l3, tickless }) => ({ l3, tickless }));
  expect(facts({ ...cache(0, "3", "0,2"), ...cache(1, "3", "1,3") })).toEqual([
    { l3: 0, tickless: undefined },
    { l3: 1, tickless: undefined },
    { l3: 0, tickless: true },
    { l3: 1, tickless: true },
  ]);
  expect(facts(cache(0, "4", "0-3"))[0]).toEqual({ l3: undefined, tickless: undefined });
});
