import { copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import type { PlacedCell } from "../../src/plan/index.ts";
import type { MemdevInfo } from "../../src/qmp/index.ts";
import { realSystem } from "../../src/system/index.ts";
import { compareMappings, verifyMemory } from "../../src/vm/memory-policy.ts";
import {
  findMapping,
  parseMapSizes,
  parseNumaMaps,
  readMapping,
  readMappingStarts,
} from "../../src/vm/numa-maps.ts";
import { fakeSystem } from "../rig/fake-system.ts";

describe("/proc/PID/numa_maps", () => {
  it.each([
    ["7f00 default", "default", []],
    ["7f00 bind:0 anon=1 dirty=1 N0=1 kernelpagesize_kB=4", "bind", [0]],
    ["7f00 bind:0-1,3 anon=1", "bind", [0, 1, 3]],
    ["7f00 prefer:2", "preferred", [2]],
    ["7f00 bind:10", "bind", [10]],
    ["7f00 prefer (many):0-1", "preferred", [0, 1]],
    ["7f00 interleave:1,3 file=/memfd:x\\040(deleted)", "interleave", [1, 3]],
    ["7f00 bind=static:1", "bind", [1]],
    ["7f00 interleave=relative|static:0-3", "interleave", [0, 1, 2, 3]],
    ["7f00 weighted interleave:0-1", "other", []],
    ["7f00 local", "other", []],
  ])("%s", (line, policy, nodes) => {
    expect(parseNumaMaps(`${line}\n`)).toMatchObject([{ start: "7f00", policy, nodes }]);
  });

  it("tells where the pages are, and how large", () => {
    const [mapping] = parseNumaMaps("7f00 bind:0-1 anon=9 N0=5 N1=4 kernelpagesize_kB=2048");
    expect(mapping?.pages).toEqual(
      new Map([
        [0, 5],
        [1, 4],
      ]),
    );
    expect(mapping?.pageSizeBytes).toBe(2 * 1024 * 1024);
  });

  it("has no lines that mean nothing", () => {
    expect(parseNumaMaps("\nPermission denied\n")).toEqual([]);
  });

  it("goes with the sizes of /proc/PID/maps", () => {
    const text =
      "7f0000000000-7f0040000000 rw-p 00000000 00:00 0 \nffffffffff600000-ffffffffff601000 --xp 0 00:00 0 [vsyscall]\n";
    expect(parseMapSizes(text)).toEqual(
      new Map([
        ["7f0000000000", 2 ** 30],
        ["ffffffffff600000", 4096],
      ]),
    );
  });
});

describe("cells and mappings", () => {
  const cell = (id: number, hostNodes: number[], policy: "bind" | "preferred" = "bind") =>
    ({
      id,
      memdev: `mem${id}`,
      memoryBytes: 4096,
      pageSizeBytes: 0,
      policy,
      hostNodes,
      vcpus: [],
      distances: undefined,
    }) satisfies PlacedCell;
  const compare = (cells: ReturnType<typeof cell>[], numaMaps: string) =>
    compareMappings(cells, {
      mappings: parseNumaMaps(numaMaps),
      sizes: new Map([
        ["1000", 4096],
        ["2000", 4096],
        ["3000", 8192],
      ]),
    }).map(({ found }) => found);

  it("of one size are told apart by their nodes", () => {
    expect(compare([cell(0, [1]), cell(1, [0])], "1000 bind:0\n2000 bind:1\n")).toEqual([]);
  });

  it("are one to one: a mapping does not serve two cells", () => {
    expect(compare([cell(0, [0]), cell(1, [0])], "1000 bind:0\n2000 bind:1\n")).toEqual([
      "the kernel has bind:1 for mem1",
    ]);
  });

  it("must be of the same size", () => {
    expect(compare([cell(0, [0])], "3000 bind:0\n")).toEqual([
      "the kernel has no mapping of that size for mem0",
    ]);
  });

  it("prefer any of several nodes: older QEMUs take the first alone", () => {
    expect(compare([cell(0, [0, 1], "preferred")], "1000 prefer:0\n")).toEqual([]);
    expect(compare([cell(0, [0, 1], "preferred")], "1000 prefer:2\n")).toHaveLength(1);
  });

  it("that are bound have no page elsewhere", () => {
    expect(compare([cell(0, [0])], "1000 bind:0 N0=1 N1=1\n")).toEqual(["pages of mem0 are on nodes 1"]);
  });
});

describe("what the kernel showed before", () => {
  const cells = [{ id: 0, memdev: "mem0", memoryBytes: 4096, policy: "bind" as const, hostNodes: [0] }];
  const memdevs: MemdevInfo[] = [
    {
      id: "mem0",
      size: 4096,
      merge: true,
      dump: true,
      prealloc: false,
      share: false,
      policy: "bind",
      "host-nodes": [0],
    },
  ];
  const seen = (numaMaps: string) => ({
    mappings: parseNumaMaps(numaMaps),
    sizes: new Map([["1000", 4096]]),
  });
  /** @param now what /proc has now */
  const verify = (before: string, now: Record<string, string>) =>
    verifyMemory(fakeSystem(now).files, 7, cells, memdevs, seen(before));

  it("does where all is in it", () => {
    expect(verify("1000 bind:0\n", {})).toEqual({ verified: 1, unread: undefined });
  });

  it("is looked at again where something is missing, which may have come since", () => {
    const now = { "/proc/7/numa_maps": "1000 bind:0\n", "/proc/7/maps": "1000-2000 rw-p 0 00:00 0\n" };
    expect(verify("", now)).toEqual({ verified: 1, unread: undefined });
    expect(verify("", {}).unread).toContain("numa_maps");
    expect(() => verify("", { ...now, "/proc/7/numa_maps": "1000 bind:1\n" })).toThrow("bind:1");
  });
});

describe("a mapping that has come", () => {
  const maps = "1000-2000 rw-p 0 00:00 0\n3000-4000 rw-p 0 00:00 0\n5000-6000 rw-p 0 00:00 0\n";
  const numaMaps = "1000 bind:0\n3000 bind:1 N1=2\n5000 default\n";
  const { files } = fakeSystem({ "/proc/7/maps": maps, "/proc/7/numa_maps": numaMaps });

  it("is found by its size and where there was none, and read alone", () => {
    const before = new Set(["1000"]);
    const found = findMapping(files, 7, (from, bytes) => bytes === 0x1000 && !before.has(from));
    expect(found).toEqual({ start: "3000", sizeBytes: 0x1000, leastBytes: [11, 11] });
    const memory = found && readMapping(files, 7, found);
    expect(memory?.mappings).toMatchObject([{ start: "3000", policy: "bind", nodes: [1] }]);
    expect(memory?.sizes).toEqual(new Map([["3000", 0x1000]]));
    expect(readMapping(files, 7, { start: "300", sizeBytes: 0x1000, leastBytes: [] })).toBeUndefined();
    expect(findMapping(files, 7, () => false)).toBeUndefined();
  });

  it("has lines before it that are as long as it says, or longer", async () => {
    const folder = mkdtempSync(join(tmpdir(), "qlaunch-mappings-"));
    // A name that the two files of /proc write in different ways.
    const program = join(folder, "a name = 1\n2");
    copyFileSync("/bin/sleep", program);
    const sleep = execa(program, ["60"], { reject: false });
    try {
      const { files } = realSystem;
      const pid = sleep.pid ?? 0;
      await expect.poll(() => files.tryReadText(`/proc/${pid}/maps`) ?? "").toContain("[heap]");
      const lines = readFileSync(`/proc/${pid}/numa_maps`, "utf8").trimEnd().split("\n");
      expect(lines.length).toBeGreaterThan(5);
      for (const [index, line] of lines.entries()) {
        const found = findMapping(files, pid, (start) => line.startsWith(`${start} `));
        expect(found?.leastBytes).toHaveLength(index + 1);
        const own = found?.leastBytes[index] ?? 0;
        expect(own, line).toBeLessThanOrEqual(line.length + 1);
        if (line.includes("file=")) expect(own, line).toBeGreaterThan("7f0000000000 local\n".length);
        expect(found && readMapping(files, pid, found)?.mappings[0]?.start).toBe(found?.start);
      }
    } finally {
      sleep.kill();
      await sleep;
      rmSync(folder, { recursive: true });
    }
  });

  it("is told from those that were there", () => {
    const starts = readMappingStarts(files, 7, "all");
    expect(["1000", "3000", "5000", "000", "2000", "", "7000"].map((start) => starts?.has(start))).toEqual([
      ...[true, true, true],
      ...[false, false, false, false],
    ]);
    expect(readMappingStarts(files, 8, "all")).toBeUndefined();
    expect(readMappingStarts(files, 8, "first")).toBeUndefined();
  });

  it("is told from the first of them, and not behind the last that was read", () => {
    const lines = Array.from({ length: 200 }, (_, index) => `${(index + 1).toString(16)}000-`).map(
      (start) => `${start}fffff rw-p 00000000 00:00 0 `,
    );
    const { files } = fakeSystem({ "/proc/7/maps": `${lines.join("\n")}\n` });
    const starts = readMappingStarts(files, 7, "first");
    expect(["1000", "2000", "2800", "1f000"].map((start) => starts?.has(start))).toEqual([
      ...[true, true, false, true],
    ]);
    // The line that was cut, and those behind it.
    expect(["c7000", "c8000", "ffffffff"].map((start) => starts?.has(start))).toEqual([
      ...[undefined, undefined, undefined],
    ]);
    const none = fakeSystem({ "/proc/7/maps": "" });
    expect(readMappingStarts(none.files, 7, "first")?.has("1000")).toBeUndefined();
  });
});
