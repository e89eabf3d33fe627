import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import type { PlacedCell } from "../plan/types.ts";
import type { MemdevInfo } from "../qmp/index.ts";
import { describeByteSize, formatIdSet, type IdSet } from "../units/index.ts";
import { compareBackend, compareMappings } from "../vm/memory-policy.ts";
import { findMapping, type ProcessMemory, readMapping, readProcessMemory } from "../vm/numa-maps.ts";
import type { LiveVm } from "./live.ts";

/** A backend and where its memory must be. */
export interface BoundMemory {
  readonly memdev: string;
  readonly cell: number;
  readonly memoryBytes: number;
  readonly hostNodes: IdSet;
  readonly policy: NonNullable<PlacedCell["policy"]>;
}

/**
 * Compares a new backend with what the kernel says of QEMU's mappings; where it does not say which of them it is, also
 * with what QEMU says.
 * @returns what was found, in words
 * @throws QlaunchError VM_MEMORY_POLICY
 */
export async function checkBound(live: LiveVm, bound: BoundMemory): Promise<string> {
  const place = asCell(bound);
  const what = `${describeByteSize(bound.memoryBytes)} ${bound.policy}:${formatIdSet(bound.hostNodes)}`;
  const readBack = `${what}, read back from /proc`;
  const mapping = readNewMapping(live, bound);
  if (mapping !== undefined) {
    refuse(compareMappings([place], mapping));
    return readBack;
  }
  const memdevs = await live.qmp.execute("query-memdev");
  refuse(compareBackend(place, memdevs));
  const memory = readProcessMemory(live.system.files, live.pid);
  if (memory === undefined) {
    return `${what} by QEMU's word; the kernel does not show /proc/${live.pid}/numa_maps`;
  }
  const problems = compareMappings([...others(memdevs, bound), place], memory);
  refuse(problems.filter(({ found }) => found.includes(bound.memdev)));
  return readBack;
}

function refuse(problems: readonly Diagnostic[]): void {
  if (problems.length > 0) throw new QlaunchError(problems);
}

/**
 * The mapping of its size that has come since the command began. The kernel walks all pages of what it shows, so that this
 * is far quicker than a look at all of the process.
 * @returns undefined when it cannot be told apart: the backend was there before, or is behind all that was noted
 */
function readNewMapping(
  { system: { files }, pid, mapped }: LiveVm,
  { memoryBytes }: BoundMemory,
): ProcessMemory | undefined {
  if (mapped === undefined) return undefined;
  const found = findMapping(
    files,
    pid,
    (start, bytes) => bytes === memoryBytes && mapped.has(start) !== true,
  );
  return found === undefined || mapped.has(found.start) === undefined
    ? undefined
    : readMapping(files, pid, found);
}

/** Backends of one size are told apart by their policy alone, so each mapping must have its owner. */
function others(memdevs: readonly MemdevInfo[], { memdev, memoryBytes }: BoundMemory) {
  return memdevs.flatMap(({ id, size, policy, "host-nodes": hostNodes }) =>
    id === undefined || id === memdev || size !== memoryBytes || policy === "default"
      ? []
      : [asCell({ memdev: id, cell: 0, memoryBytes, hostNodes, policy })],
  );
}

function asCell({ cell, ...bound }: BoundMemory) {
  return { ...bound, id: cell };
}
