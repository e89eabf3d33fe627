import { describe, expect, it } from "vitest";
import { plan, problems, values, type World } from "./planning.ts";

const sparse: World = { host: "sparse" };
const backend = (memory: object, more: object = {}, world: World = {}) =>
  values(plan({ memory: { size: "1G", ...memory }, ...more }, world), "object").filter((value) =>
    value.startsWith("memory-backend"),
  );
const numa = (hostNodes: string) => ({ numa: { cells: [{ cpus: "0-1", memory: "1G", hostNodes }] } });

describe("the backend", () => {
  it.each([
    [{}, "memory-backend-ram,id=ram-node0,size=1073741824"],
    [{ merge: false }, "memory-backend-ram,id=ram-node0,size=1073741824,merge=off"],
    [{ share: true }, "memory-backend-memfd,id=ram-node0,size=1073741824"],
    [{ backend: "ram", share: true }, "memory-backend-ram,id=ram-node0,size=1073741824,share=on"],
    [{ backend: "memfd", share: false }, "memory-backend-memfd,id=ram-node0,size=1073741824,share=off"],
    [
      { backend: "file", path: "/dev/a,b" },
      "memory-backend-file,id=ram-node0,mem-path=/dev/a,,b,size=1073741824",
    ],
    [{ prealloc: true }, "memory-backend-ram,id=ram-node0,size=1073741824,prealloc=on,prealloc-threads=8"],
    [
      { prealloc: true, preallocThreads: 7 },
      "memory-backend-ram,id=ram-node0,size=1073741824,prealloc=on,prealloc-threads=7",
    ],
  ])("%j", (memory, expected) => expect(backend(memory)).toEqual([expected]));

  it("takes huge pages at the start, by threads on the node that they are on", () => {
    const planned = plan({ memory: { size: "1G", pageSize: "1G" }, ...numa("0") }, sparse);
    expect(values(planned, "object").slice(0, 2)).toEqual([
      "thread-context,id=prealloc-node0,node-affinity=0",
      "memory-backend-memfd,id=ram-node0,size=1073741824,host-nodes=0,policy=bind,hugetlb=on,hugetlbsize=1073741824,share=off,prealloc=on,prealloc-threads=1,prealloc-context=prealloc-node0",
    ]);
  });

  it("is shared for virtiofs", () => {
    const filesystems = [{ id: "home", path: "/home" }];
    expect(backend({}, { filesystems })[0]).toMatch(/^memory-backend-memfd/);
  });

  it.each([
    [{ backend: "file" }, "MEMORY_BACKEND memory.backend: backend file without a path; memory.path"],
    [{ path: "/x" }, "MEMORY_BACKEND memory.path: a path with backend auto; backend file"],
    [
      { backend: "ram", pageSize: "1G" },
      "MEMORY_BACKEND memory.backend: backend ram with 1 GiB pages; memfd or file, which can have huge pages",
    ],
  ])("%j is refused", (memory, problem) => {
    expect(problems({ memory: { size: "1G", ...memory } }, sparse)).toEqual([problem]);
  });

  it("cannot be private with virtiofs", () => {
    const filesystems = [{ id: "home", path: "/home" }];
    expect(problems({ memory: { size: "1G", share: false }, filesystems })).toEqual([
      "SHARE_COMBINATION memory.share: share false with a virtiofs folder; shared memory, through which virtiofsd reaches the guest",
    ]);
  });
});

describe("sizes", () => {
  it("are -m, with room for more when there is some", () => {
    expect(values(plan(), "m")).toEqual(["size=1G"]);
    expect(values(plan({ memory: { size: "1G", max: "4G", slots: 3 } }), "m")).toEqual([
      "size=1G,slots=3,maxmem=4G",
    ]);
  });

  it.each([
    [{ size: 2 ** 30 + 1 }, "MEMORY_ALIGNMENT memory.size: memory of 1073741825 bytes; a multiple of 1 MiB"],
    [
      { size: "3M", pageSize: "2M" },
      "MEMORY_ALIGNMENT memory.size: memory of 3145728 bytes; a multiple of 2 MiB, the page size",
    ],
    [
      { size: "1G", max: 2 ** 31 + 4096 },
      "MEMORY_ALIGNMENT memory.max: a maximum of 2147487744 bytes; a multiple of 1 MiB",
    ],
    [{ size: 0 }, "MEMORY_ALIGNMENT memory.size: no memory; at least 1 MiB"],
    [
      { size: "1G", pageSize: 3 * 2 ** 20 },
      "MEMORY_ALIGNMENT memory.pageSize: a page size of 3145728 bytes; a power of two that the host has, such as 2M or 1G",
    ],
    [
      { size: "2G", max: "1G" },
      "MEMORY_MAX memory.max: a maximum of 1G below the size of 2G; max no lower than size",
    ],
    [
      { size: "1G", slots: 2 },
      "MEMORY_MAX memory.slots: 2 slots and no room above the size; memory.max above memory.size, which is what the slots are for",
    ],
  ])("%j is refused", (memory, problem) => expect(problems({ memory }, sparse)).toContain(problem));
});

it("is locked, with room for QEMU itself, when the profile says so", () => {
  const planned = plan({ memory: { size: "1G", max: "2G", locked: true } });
  expect(values(planned, "overcommit")).toEqual(["mem-lock=on"]);
  expect(planned.run.lockedBytes).toBe(6 * 2 ** 30);
  expect(plan().run.lockedBytes).toBe(0);
  expect(values(plan(), "overcommit")).toEqual([]);
});
