import { describe, expect, it } from "vitest";
import type { LiveVm } from "../../src/hotplug/live.ts";
import { checkBound } from "../../src/hotplug/memory-bound.ts";
import { readMappingStarts } from "../../src/vm/numa-maps.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const bound = {
  memdev: "ram-dimm0",
  cell: 1,
  memoryBytes: 0x1000,
  hostNodes: [1],
  policy: "bind" as const,
};
const memdev = (id: string, node: number) => ({
  id,
  size: 0x1000,
  policy: "bind",
  "host-nodes": [node],
});

/** 100 mappings of libraries, which fill more than a page of the file. */
const libraries = Array.from({ length: 100 }, (_, index) => 0x100 + index);
const mapsOf = (...starts: number[]) =>
  [...starts]
    .sort((a, b) => a - b)
    .map((start) => `${start.toString(16)}000-${(start + 1).toString(16)}000 rw-p 00000000 00:00 0 \n`)
    .join("");

/** What a check says of a DIMM whose mapping has come at a page, and what it asked of QEMU. */
async function checked(start: number, policy: string) {
  const before = fakeSystem({ "/proc/7/maps": mapsOf(0x20, ...libraries) });
  const cell = "20000 bind:0\n";
  const dimm = `${start.toString(16)}000 ${policy}\n`;
  const { files } = fakeSystem({
    "/proc/7/maps": mapsOf(0x20, ...libraries, start),
    "/proc/7/numa_maps": start < 0x20 ? dimm + cell : cell + dimm,
  });
  const asked: string[] = [];
  const live = {
    system: { files },
    pid: 7,
    mapped: readMappingStarts(before.files, 7, "first"),
    qmp: {
      execute: async (name: string) => {
        asked.push(name);
        return [memdev("mem0", 0), memdev("ram-dimm0", 1)];
      },
    },
  } as unknown as LiveVm;
  const said = await checkBound(live, bound).catch((error: Error) => error.message);
  return { said, asked };
}

describe("a new backend", () => {
  it("below all that was noted is told by its mapping alone", async () => {
    expect(await checked(0x10, "bind:1")).toEqual({
      said: "4 KiB bind:1, read back from /proc",
      asked: [],
    });
    expect(await checked(0x30, "bind:1")).toEqual({
      said: "4 KiB bind:1, read back from /proc",
      asked: [],
    });
    expect((await checked(0x10, "default")).said).toContain("VM_MEMORY_POLICY: the kernel has default");
  });

  it("behind it is told by QEMU's word, and by one mapping for each backend", async () => {
    expect(await checked(0x1000, "bind:1")).toEqual({
      said: "4 KiB bind:1, read back from /proc",
      asked: ["query-memdev"],
    });
    expect((await checked(0x1000, "bind:0")).said).toContain("VM_MEMORY_POLICY: the kernel has");
  });
});
