import { QlaunchError } from "../errors/index.ts";
import type { PlacedCell } from "../plan/types.ts";
import type { MemdevInfo } from "../qmp/index.ts";
import { describeByteSize, formatIdSet, type IdSet } from "../units/index.ts";
import { compareBackend, compareMappings } from "../vm/memory-policy.ts";
import { findMapping, type ProcessMemory, readMapping, readProcessMemory } from "../vm/numa-maps.ts";
import type { LiveVm } from "./live.ts";
import { askAhead } from "./recent-answers.ts";

/** A backend and where its memory must be. */
export interface BoundMemory {
  readonly memdev: string;
  readonly cell: number;
  readonly memoryBytes: number;
  readonly hostNodes: IdSet;
  readonly policy: NonNullable<PlacedCell["policy"]>;
}

/**
 * Compares a new backend with what QEMU says of it and with what the kernel says of QEMU's mappings.
 * @returns what was found, in words
 * @throws QlaunchError VM_MEMORY_POLICY
 */
export async function checkBound(live: LiveVm, bound: BoundMemory): Promise<string> {
  const { pid, qmp } = live;
  const { files } = live.system;
  const asked = qmp.execute("query-memdev");
  askAhead([asked]);
  const seen = readNewMapping(live, bound);
  const memdevs = await asked;
  const place = asCell(bound);
  const wrong = compareBackend(place, memdevs);
  if (wrong.length > 0) throw new QlaunchError(wrong);
  const memory = seen ?? readProcessMemory(files, pid);
  const where = `${bound.policy}:${formatIdSet(bound.hostNodes)}`;
  const size = describeByteSize(bound.memoryBytes);
  if (memory === undefined) {
    return `${size} ${where} by QEMU's word; the kernel does not show /proc/${pid}/numa_maps`;
  }
  const places = memory.mappings.length === 1 ? [place] : [...others(memdevs, bound), place];
  const problems = compareMappings(places, memory).filter(({ found }) => found.includes(bound.memdev));
  if (problems.length > 0) throw new QlaunchError(problems);
  return `${size} ${where}, read back from /proc`;
}

/**
 * The mapping of its size that has come since the command began. The kernel walks all pages of what it shows, so that this
 * is far quicker than a look at all of the process.
 * @returns undefined when it cannot be told apart: the backend was there when the command began
 */
function readNewMapping(
  { system: { files }, pid, mapped }: LiveVm,
  { memoryBytes }: BoundMemory,
): ProcessMemory | undefined {
  if (mapped === undefined) return undefined;
  const start = findMapping(files, pid, (from, bytes) => bytes === memoryBytes && !mapped.has(from));
  return start === undefined ? undefined : readMapping(files, pid, start, memoryBytes);
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
