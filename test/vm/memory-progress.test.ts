import { describe, expect, it } from "vitest";
import type { TakenMemory } from "../../src/plan/taken-memory.ts";
import { memoryLook, nodeProgress } from "../../src/vm/memory-progress.ts";
import { parseMapSizes, parseNumaMaps } from "../../src/vm/numa-maps.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const gibibyte = 2 ** 30;
const taken = (
  ...cells: readonly (readonly [gibibytes: number, hostNodes: readonly number[] | undefined])[]
) =>
  cells.map(
    ([gibibytes, hostNodes], index): TakenMemory => ({
      memdev: `ram-node${index}`,
      bytes: gibibytes * gibibyte,
      hostNodes,
      threads: 4,
    }),
  );

/** A cell of huge pages on node 0 that is done, one of ordinary pages on node 1 that is half done, and QEMU itself. */
const policies = [
  "7f0000000000 bind:0 file=/memfd:memory-backend-memfd\\040(deleted) huge dirty=2 N0=2 kernelpagesize_kB=1048576",
  "7e0000000000 bind:1 anon=131072 dirty=131072 N1=131072 kernelpagesize_kB=4",
  "560000000000 default anon=5000 dirty=5000 N0=4000 N1=1000 kernelpagesize_kB=4",
].join("\n");
const maps = [
  "560000000000-560002000000 rw-p 00000000 00:00 0 [heap]",
  "7e0000000000-7e0040000000 rw-p 00000000 00:00 0",
  "7f0000000000-7f0080000000 rw-p 00000000 00:0f 1 /memfd:memory-backend-memfd (deleted)",
].join("\n");

describe("memory by host node", () => {
  const progress = (cells: readonly TakenMemory[]) =>
    nodeProgress(cells, { mappings: parseNumaMaps(policies), sizes: parseMapSizes(maps) });

  it("is that of the guest, beside what belongs there", () => {
    expect(progress(taken([2, [0]], [1, [1]]))).toEqual([
      { node: 0, bytes: 2 * gibibyte, totalBytes: 2 * gibibyte },
      { node: 1, bytes: gibibyte / 2, totalBytes: gibibyte },
    ]);
  });

  it("has nodes that nothing is on yet", () => {
    expect(progress(taken([2, [0]], [4, [2]]))).toContainEqual({
      node: 2,
      bytes: 0,
      totalBytes: 4 * gibibyte,
    });
  });

  it("promises no node what may lie on several", () => {
    expect(progress(taken([2, undefined], [1, [1]]))).toEqual([
      { node: 0, bytes: 2 * gibibyte },
      { node: 1, bytes: gibibyte / 2 },
    ]);
  });
});

/** One that waits for as long as it takes. */
const patient = { sleep: () => new Promise<void>(() => {}) };

describe("a look", () => {
  const look = (residentKib: number, elapsed: () => number, read: () => void = () => {}) => {
    const system = fakeSystem({
      "/proc/42/status": `VmRSS:\t${residentKib} kB\nHugetlbPages:\t2097152 kB\n`,
      "/proc/42/numa_maps": policies,
      "/proc/42/maps": maps,
    });
    const files = {
      ...system.files,
      async tryReadTextAside(path: string) {
        if (path.endsWith("numa_maps")) read();
        return system.files.tryReadText(path);
      },
    };
    const clock = { ...system.clock, ...patient, elapsedMs: elapsed };
    const watch = { system: { files, clock }, pid: 42, step: "wait", taken: taken([2, [0]], [1, [1]]) };
    return memoryLook(watch);
  };

  it("says how much there is, and how long the rest takes at this speed", async () => {
    let now = 5_000;
    const next = look(524_288, () => now);
    now += 2_000;
    expect(await next()).toEqual({
      type: "memory-progress",
      step: "wait",
      elapsedMs: 2_000,
      bytes: 2.5 * gibibyte,
      totalBytes: 3 * gibibyte,
      nodes: [expect.objectContaining({ node: 0 }), expect.objectContaining({ node: 1 })],
      remainingMs: 400,
    });
  });

  it("of memory that comes later leaves out what QEMU had, also in mappings as large", async () => {
    const tree = {
      "/proc/42/status": "VmRSS:\t5000000 kB\n",
      "/proc/42/numa_maps": `${policies}\n7d0000000000 bind:1 anon=65536 dirty=65536 N1=65536 kernelpagesize_kB=4`,
      "/proc/42/maps": `${maps}\n7d0000000000-7d0040000000 rw-p 00000000 00:00 0`,
    };
    const system = fakeSystem(tree);
    const look = memoryLook({
      system: { ...system, clock: { ...system.clock, ...patient } },
      pid: 42,
      step: "add object ram-dimm0",
      taken: taken([1, [1]]),
      mapped: new Set(["560000000000", "7e0000000000", "7f0000000000"]),
    });
    tree["/proc/42/status"] = `VmRSS:\t${5_000_000 + 262_144} kB\n`;
    expect(await look()).toMatchObject({
      bytes: gibibyte / 4,
      totalBytes: gibibyte,
      nodes: [{ node: 1, bytes: gibibyte / 4, totalBytes: gibibyte }],
    });
  });

  it("has never more than all, though QEMU itself needs memory too", async () => {
    expect(await look(3_000_000, () => 0)()).toMatchObject({ bytes: 3 * gibibyte });
  });

  it("tells no time while there is next to nothing", async () => {
    const system = fakeSystem({ "/proc/42/status": "VmRSS:\t10000 kB\n" });
    const { remainingMs, nodes } = await memoryLook({
      system,
      pid: 42,
      step: "wait",
      taken: taken([3, [0]]),
    })();
    expect(remainingMs).toBeUndefined();
    expect(nodes).toEqual([]);
  });

  it("reads the pages by node the more seldom the longer it takes", async () => {
    let now = 0;
    let reads = 0;
    const next = look(
      0,
      () => now,
      () => {
        reads++;
        now += 100;
      },
    );
    for (let second = 1; second <= 9; second++) {
      now = second * 1_000;
      await next();
    }
    // 100 ms are 5 % of 2 s.
    expect(reads).toBe(5);
  });
});

it("a look that has to wait does not hold up what is known", async () => {
  const system = fakeSystem({ "/proc/42/status": `VmRSS:\t1048576 kB\n` });
  const files = { ...system.files, tryReadTextAside: () => new Promise<undefined>(() => {}) };
  const next = memoryLook({ system: { ...system, files }, pid: 42, step: "wait", taken: taken([2, [0]]) });
  expect(await next()).toMatchObject({ bytes: gibibyte, nodes: [] });
  expect(await next()).toMatchObject({ bytes: gibibyte, nodes: [] });
});
