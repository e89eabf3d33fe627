import type { EventSink, MemoryProgress, NodeProgress } from "../events/event.ts";
import type { TakenMemory } from "../plan/taken-memory.ts";
import type { Files, System } from "../system/index.ts";
import { type ProcessMemory, readProcessMemory } from "./numa-maps.ts";
import { residentBytes } from "./process.ts";

const reportMs = 1_000;
/** The kernel walks page tables to tell pages by node: at most this part of the time goes into that. */
const lookShare = 0.05;
/** Below this part of all, the speed says more of QEMU's own start than of the memory. */
const tellingShare = 0.01;

export interface ProgressWatch {
  readonly system: Pick<System, "files" | "clock">;
  readonly pid: number;
  readonly taken: readonly TakenMemory[];
  readonly step: string;
  readonly emit: EventSink;
}

/** Tells once a second how much of the guest's memory is in place. @returns what ends it */
export function watchMemory(watch: ProgressWatch): () => void {
  const look = memoryLook(watch);
  const timer = setInterval(() => watch.emit(look()), reportMs);
  return () => clearInterval(timer);
}

/** The total is one line of /proc; the nodes are looked at as seldom as it takes long. */
export function memoryLook({ system, pid, taken, step }: Omit<ProgressWatch, "emit">): () => MemoryProgress {
  const { files, clock } = system;
  const began = clock.elapsedMs();
  const totalBytes = taken.reduce((sum, { bytes }) => sum + bytes, 0);
  let nodes: readonly NodeProgress[] = [];
  let nextLookMs = began;
  return () => {
    const now = clock.elapsedMs();
    if (now >= nextLookMs) {
      nodes = nodesInPlace(files, pid, taken);
      const took = clock.elapsedMs() - now;
      nextLookMs = now + took / lookShare;
    }
    const elapsedMs = now - began;
    const bytes = Math.min(residentBytes(files, pid) ?? 0, totalBytes);
    const remainingMs = (elapsedMs * (totalBytes - bytes)) / bytes;
    return {
      type: "memory-progress",
      step,
      elapsedMs,
      bytes,
      totalBytes,
      nodes,
      ...(bytes >= totalBytes * tellingShare ? { remainingMs: Math.round(remainingMs) } : {}),
    };
  };
}

function nodesInPlace(files: Files, pid: number, taken: readonly TakenMemory[]): NodeProgress[] {
  const memory = readProcessMemory(files, pid);
  return memory === undefined ? [] : nodeProgress(taken, memory);
}

/** Pages by node, of mappings that are as large as a backend; nodes that are bound to and have none yet are there too. */
export function nodeProgress(
  taken: readonly TakenMemory[],
  { mappings, sizes }: ProcessMemory,
): NodeProgress[] {
  const backendSizes = new Set(taken.map(({ bytes }) => bytes));
  const found = new Map<number, number>();
  const add = (to: Map<number, number>, node: number, bytes: number) =>
    to.set(node, (to.get(node) ?? 0) + bytes);
  for (const { start, pages, pageSizeBytes } of mappings) {
    if (!backendSizes.has(sizes.get(start) ?? 0)) continue;
    for (const [node, count] of pages) add(found, node, count * pageSizeBytes);
  }
  const isPlain = taken.every(({ hostNodes }) => hostNodes?.length === 1);
  const expected = new Map<number, number>();
  for (const { bytes, hostNodes = [] } of taken) for (const node of hostNodes) add(expected, node, bytes);
  return [...new Set([...found.keys(), ...expected.keys()])]
    .sort((a, b) => a - b)
    .map((node) => ({
      node,
      bytes: found.get(node) ?? 0,
      ...(isPlain ? { totalBytes: expected.get(node) ?? 0 } : {}),
    }));
}
