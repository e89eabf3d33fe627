import { describeByteSize, formatByteSize, formatIdSet } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import { memoryBackend } from "./memory-backend.ts";
import { checkMemoryRoom } from "./memory-device-checks.ts";
import { memoryDeviceDemands } from "./memory-devices.ts";
import { checkHostMemory, type MemoryDemand } from "./memory-host.ts";
import type { Cell } from "./numa.ts";
import { isHuge, isPreallocated, planPreallocation } from "./preallocation.ts";

const mebibyte = 2 ** 20;
/** What QEMU itself locks beside the guest's memory: its code, heap and, with TCG, up to 1 GiB of translations. */
const lockedOverheadBytes = 4 * 2 ** 30;

/** A cell with the backend that holds its memory. */
export interface CellMemory extends Cell {
  readonly memdev: string | undefined;
  readonly pageSizeBytes: number;
}

/** -m, a memory backend for each cell, and locking. */
export function planMemory(
  draft: Draft,
  cells: readonly Cell[],
): { cells: readonly CellMemory[]; lockedBytes: number } {
  const { memory } = draft.profile;
  checkSizes(draft, cells);
  const max = memory.max ?? memory.size;
  const size = draft.decide("memory", "memory.size", {
    value:
      max > memory.size
        ? `${describeByteSize(memory.size)}, up to ${describeByteSize(max)} in ${memory.slots} slots`
        : describeByteSize(memory.size),
    rule: "The profile's memory; room for more only when memory.max says so, because it takes guest address space.",
    source: "memoryHotplug",
  });
  draft.add({ option: "m", sizeBytes: memory.size, slots: memory.slots, maxBytes: max, because: [size] });
  if (memory.locked) {
    const locked = draft.decide("memory", "memory.locked", {
      value: "mem-lock=on",
      rule: "All of QEMU's memory stays in RAM. The locked-memory limit is raised before the start, or the start is refused.",
      source: "invocation",
    });
    draft.add({ option: "overcommit", properties: { "mem-lock": true }, because: [locked] });
  }
  checkHostMemory(draft, [...cellDemands(draft, cells), ...memoryDeviceDemands(draft, cells)]);
  return {
    cells: cells.map((cell) => planBackend(draft, cell)),
    lockedBytes: memory.locked ? max + lockedOverheadBytes : 0,
  };
}

function cellDemands(draft: Draft, cells: readonly Cell[]): MemoryDemand[] {
  const { memory } = draft.profile;
  return cells.map((cell) => ({
    what: `cell ${cell.id}`,
    bytes: cell.memoryBytes,
    pageSizeBytes: isHuge(memory.pageSize) ? (memory.pageSize ?? 0) : 0,
    hostNodes: cell.hostNodes,
    policy: cell.policy,
    path: draft.cells ? draft.cellPath(cell.id, cell.hostNodes ? "hostNodes" : "memory") : ["memory", "size"],
    pageSizePath: ["memory", "pageSize"],
  }));
}

function planBackend(draft: Draft, cell: Cell): CellMemory {
  const { memory } = draft.profile;
  const huge = isHuge(memory.pageSize);
  const pageSizeBytes = huge ? (memory.pageSize ?? 0) : 0;
  if (cell.memoryBytes === 0) return { ...cell, memdev: undefined, pageSizeBytes };
  const memdev = `ram-node${cell.id}`;
  draft.claimId("object", memdev, ["memory"]);
  const prealloc = isPreallocated(draft, memory.pageSize);
  const id = `numa.cell${cell.id}.memory`;
  draft.decide("memory", id, {
    value: [
      describeByteSize(cell.memoryBytes),
      huge ? `${describeByteSize(pageSizeBytes)} pages` : "ordinary pages",
      cell.hostNodes ? `${cell.policy} host node ${formatIdSet(cell.hostNodes)}` : "not bound",
    ].join(", "),
    rule: "Each cell has a backend of its own, so that its memory can be bound to the host nodes the cell stands for.",
    facts: [
      ...draft.host.nodes
        .filter((node) => cell.hostNodes?.includes(node.id))
        .map(
          (node) =>
            `host node ${node.id} has ${describeByteSize(node.freeBytes)} free of ${describeByteSize(node.memoryBytes)}`,
        ),
      ...(prealloc ? ["all pages are taken at the start"] : []),
    ],
    source: "memoryPolicy",
  });
  const preallocation = prealloc ? planPreallocation(draft, cell, memory.pageSize) : undefined;
  const backend = memoryBackend(draft, {
    id: memdev,
    sizeBytes: cell.memoryBytes,
    pageSizeBytes: memory.pageSize,
    cell,
    preallocContext: preallocation?.context,
  });
  draft.add({ ...backend, because: preallocation ? [id, preallocation.because] : [id] });
  return { ...cell, memdev, pageSizeBytes };
}

function checkSizes(draft: Draft, cells: readonly Cell[]): void {
  const { memory } = draft.profile;
  const unit = Math.max(memory.pageSize ?? 0, mebibyte);
  const checkMultiple = (bytes: number, path: readonly (string | number)[], what: string) => {
    if (bytes % unit === 0) return;
    draft.refuse("MEMORY_ALIGNMENT", path, {
      found: `${what} of ${bytes} bytes`,
      needed: `a multiple of ${describeByteSize(unit)}${unit === memory.pageSize ? ", the page size" : ""}`,
      fix: `write ${formatByteSize(Math.max(unit, Math.round(bytes / unit) * unit))}`,
    });
  };
  checkMultiple(memory.size, ["memory", "size"], "memory");
  if (memory.max !== undefined) checkMultiple(memory.max, ["memory", "max"], "a maximum");
  if (draft.cells) {
    for (const cell of cells)
      checkMultiple(cell.memoryBytes, draft.cellPath(cell.id, "memory"), `memory of cell ${cell.id}`);
    const sum = cells.reduce((total, cell) => total + cell.memoryBytes, 0);
    if (sum !== memory.size) {
      draft.refuse("NUMA_MEMORY_SUM", ["memory", "size"], {
        found: `${formatByteSize(memory.size)} in all, and ${formatByteSize(sum)} in ${cells.length} cells (${cells.map((cell) => formatByteSize(cell.memoryBytes)).join(" + ")})`,
        needed: "cells that sum to memory.size",
        fix: `write ${formatByteSize(sum)} here, or change the cells`,
      });
    }
  }
  checkGrowth(draft);
  checkMemoryRoom(draft);
  if (memory.size === 0) {
    draft.refuse("MEMORY_ALIGNMENT", ["memory", "size"], {
      found: "no memory",
      needed: "at least 1 MiB",
      fix: 'write a size such as "4G"',
    });
  }
  if (memory.pageSize !== undefined && !Number.isInteger(Math.log2(memory.pageSize))) {
    draft.refuse("MEMORY_ALIGNMENT", ["memory", "pageSize"], {
      found: `a page size of ${memory.pageSize} bytes`,
      needed: "a power of two that the host has, such as 2M or 1G",
      fix: 'write "2M" or "1G", or leave pageSize out',
    });
  }
  checkBackend(draft);
}

function checkGrowth(draft: Draft): void {
  const { memory } = draft.profile;
  const max = memory.max ?? memory.size;
  if (max < memory.size) {
    draft.refuse("MEMORY_MAX", ["memory", "max"], {
      found: `a maximum of ${formatByteSize(max)} below the size of ${formatByteSize(memory.size)}`,
      needed: "max no lower than size",
      fix: `write ${formatByteSize(memory.size)} or more`,
    });
  }
  if (memory.slots > 0 && max <= memory.size) {
    draft.refuse("MEMORY_MAX", ["memory", "slots"], {
      found: `${memory.slots} slots and no room above the size`,
      needed: "memory.max above memory.size, which is what the slots are for",
      fix: "add max, or leave slots out",
    });
  }
}

function checkBackend(draft: Draft): void {
  const { memory, filesystems } = draft.profile;
  const huge = isHuge(memory.pageSize);
  const refuse = (path: readonly string[], found: string, needed: string, fix: string) =>
    draft.refuse("MEMORY_BACKEND", ["memory", ...path], { found, needed, fix });
  if (memory.backend === "file" && !memory.path) {
    refuse(
      ["backend"],
      "backend file without a path",
      "memory.path",
      "name a file or a hugetlbfs mount in memory.path",
    );
  }
  if (memory.backend !== "file" && memory.path) {
    refuse(
      ["path"],
      `a path with backend ${memory.backend}`,
      "backend file",
      'write "backend": "file", or leave path out',
    );
  }
  if (memory.backend === "ram" && huge) {
    refuse(
      ["backend"],
      `backend ram with ${describeByteSize(memory.pageSize ?? 0)} pages`,
      "memfd or file, which can have huge pages",
      'leave backend out, or write "memfd"',
    );
  }
  if (memory.share === false && filesystems.some((filesystem) => filesystem.type === "virtiofs")) {
    draft.refuse("SHARE_COMBINATION", ["memory", "share"], {
      found: "share false with a virtiofs folder",
      needed: "shared memory, through which virtiofsd reaches the guest",
      fix: "leave share out, or share the folder by 9p",
    });
  }
}
