import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import type { PlacedCell, Placement } from "../plan/types.ts";
import type { MemdevInfo } from "../qmp/index.ts";
import type { Files } from "../system/index.ts";
import { describeByteSize, formatIdSet, type IdSet } from "../units/index.ts";
import { type PolicyMapping, type ProcessMemory, readProcessMemory } from "./numa-maps.ts";

/** Memory with a backend of its own: a cell's, or a memory device's on that cell. */
export type MemoryPlace = Pick<PlacedCell, "id" | "memdev" | "memoryBytes" | "hostNodes" | "policy">;

/** One whose memory is bound to host nodes in some way. */
type BoundCell = MemoryPlace & {
  readonly memdev: string;
  readonly policy: NonNullable<PlacedCell["policy"]>;
};

/** All that is there at the start. */
export function memoryPlaces({ cells, memoryDevices }: Placement): MemoryPlace[] {
  return [...cells, ...memoryDevices.map((device) => ({ ...device, id: device.cell }))];
}

export interface MemoryReading {
  /** Cells whose policy was found in QEMU's mappings. */
  readonly verified: number;
  /** Why the kernel's view was not looked at; undefined when it was. */
  readonly unread: string | undefined;
}

/**
 * Compares each bound cell with what QEMU says of its backend and with what the kernel says of QEMU's mappings.
 * @param seen what the kernel showed before; it is asked again where that does not do
 * @throws QlaunchError VM_MEMORY_POLICY
 */
export function verifyMemory(
  files: Files,
  pid: number,
  cells: readonly MemoryPlace[],
  memdevs: readonly MemdevInfo[],
  seen?: ProcessMemory,
): MemoryReading {
  const bound = boundCells(cells);
  if (bound.length === 0) return { verified: 0, unread: undefined };
  const isSeen = seen !== undefined && compareMappings(bound, seen).length === 0;
  const memory = isSeen ? seen : readProcessMemory(files, pid);
  const problems = [
    ...bound.flatMap((cell) => compareBackend(cell, memdevs)),
    ...(isSeen || memory === undefined ? [] : compareMappings(bound, memory)),
  ];
  if (problems.length > 0) throw new QlaunchError(problems);
  return memory === undefined
    ? { verified: 0, unread: `the kernel does not show /proc/${pid}/numa_maps` }
    : { verified: bound.length, unread: undefined };
}

export function boundCells(cells: readonly MemoryPlace[]): BoundCell[] {
  return cells.filter((cell): cell is BoundCell => cell.memdev !== undefined && cell.policy !== undefined);
}

export function compareBackend(cell: BoundCell, memdevs: readonly MemdevInfo[]): Diagnostic[] {
  const memdev = memdevs.find(({ id }) => id === cell.memdev);
  if (memdev === undefined) return [problem(cell, `QEMU has no memory backend ${cell.memdev}`)];
  const nodes = formatIdSet(memdev["host-nodes"]);
  if (memdev.size !== cell.memoryBytes) {
    return [problem(cell, `QEMU gave ${cell.memdev} ${describeByteSize(memdev.size)}`)];
  }
  if (memdev.policy !== cell.policy || nodes !== formatIdSet(cell.hostNodes ?? [])) {
    return [problem(cell, `QEMU has policy ${memdev.policy} on nodes ${nodes || "none"} for ${cell.memdev}`)];
  }
  return [];
}

/** Cells of one size are told apart by their policy alone, so each mapping serves one cell. */
export function compareMappings(
  cells: readonly BoundCell[],
  { mappings, sizes }: ProcessMemory,
): Diagnostic[] {
  const free = new Set(mappings.filter(({ start }) => sizes.has(start)));
  const problems: Diagnostic[] = [];
  for (const cell of cells) {
    const candidates = [...free].filter(({ start }) => sizes.get(start) === cell.memoryBytes);
    const match = candidates.find((mapping) => fits(cell, mapping));
    if (match === undefined) {
      const found = candidates.map(({ policy, nodes }) => `${policy}:${formatIdSet(nodes)}`).join(", ");
      problems.push(problem(cell, `the kernel has ${found || "no mapping of that size"} for ${cell.memdev}`));
      continue;
    }
    free.delete(match);
    const stray = [...match.pages.keys()].filter((node) => !cell.hostNodes?.includes(node));
    if (cell.policy === "bind" && stray.length > 0) {
      problems.push(problem(cell, `pages of ${cell.memdev} are on nodes ${formatIdSet(stray)}`));
    }
  }
  return problems;
}

function fits(cell: BoundCell, mapping: PolicyMapping): boolean {
  if (mapping.policy !== cell.policy) return false;
  const wanted: IdSet = cell.hostNodes ?? [];
  // QEMU before 8 prefers the first of several nodes alone.
  if (cell.policy === "preferred") return mapping.nodes.every((node) => wanted.includes(node));
  return formatIdSet(mapping.nodes) === formatIdSet(wanted);
}

function problem(cell: BoundCell, found: string): Diagnostic {
  return {
    code: "VM_MEMORY_POLICY",
    severity: "error",
    path: [],
    found,
    needed: `${describeByteSize(cell.memoryBytes)} of cell ${cell.id} with policy ${cell.policy} on host nodes ${formatIdSet(cell.hostNodes ?? [])}`,
    fix: "look whether a cpuset of the control group keeps those nodes away (cpuset.mems.effective)",
  };
}
