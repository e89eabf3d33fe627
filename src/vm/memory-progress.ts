import type { EventSink, MemoryProgress, NodeProgress } from "../events/event.ts";
import type { TakenMemory } from "../plan/taken-memory.ts";
import type { System } from "../system/index.ts";
import { type MappingStarts, type ProcessMemory, readProcessMemoryAside } from "./numa-maps.ts";
import { residentBytes } from "./process.ts";

const reportMs = 1_000;
/** The kernel walks page tables to tell pages by node: at most this part of the time goes into that. */
const lookShare = 0.05;
/** A look may have to wait until QEMU has all of it; what is known of the nodes is told then. */
const patienceMs = 200;
/** Below this part of all, the speed says more of QEMU's own start than of the memory. */
const tellingShare = 0.01;

export interface ProgressWatch {
  readonly system: Pick<System, "files" | "clock">;
  readonly pid: number;
  readonly taken: readonly TakenMemory[];
  /** Where mappings began before any of it was taken, in a QEMU that has run for a while; what it had is not counted. */
  readonly mapped?: MappingStarts | undefined;
  readonly step: string;
  readonly emit: EventSink;
}

/** Tells once a second how much of the guest's memory is in place. @returns what ends it */
export function watchMemory(watch: ProgressWatch): () => void {
  const look = memoryLook(watch);
  let emit: EventSink | undefined = watch.emit;
  const timer = setInterval(() => void look().then((progress) => emit?.(progress)), reportMs);
  return () => {
    emit = undefined;
    clearInterval(timer);
  };
}

/** The total is one line of /proc; the nodes are looked at as seldom as it takes long. */
export function memoryLook(watch: Omit<ProgressWatch, "emit">): () => Promise<MemoryProgress> {
  const { pid, taken, step, mapped } = watch;
  const { files, clock } = watch.system;
  const began = clock.elapsedMs();
  const hadBytes = mapped === undefined ? 0 : (residentBytes(files, pid) ?? 0);
  const totalBytes = taken.reduce((sum, { bytes }) => sum + bytes, 0);
  let nodes: readonly NodeProgress[] = [];
  let nextLookMs = began;
  const lookAtNodes = async (now: number) => {
    nextLookMs = Number.POSITIVE_INFINITY;
    nodes = await nodesInPlace(watch);
    nextLookMs = now + (clock.elapsedMs() - now) / lookShare;
  };
  return async () => {
    const now = clock.elapsedMs();
    if (now >= nextLookMs) await Promise.race([lookAtNodes(now), clock.sleep(patienceMs)]);
    const elapsedMs = now - began;
    const bytes = Math.max(0, Math.min((residentBytes(files, pid) ?? 0) - hadBytes, totalBytes));
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

async function nodesInPlace(watch: Omit<ProgressWatch, "emit">): Promise<NodeProgress[]> {
  const { system, pid, taken, mapped } = watch;
  const memory = await readProcessMemoryAside(system.files, pid);
  if (memory === undefined) return [];
  const mappings = memory.mappings.filter(({ start }) => mapped?.has(start) !== true);
  return nodeProgress(taken, { ...memory, mappings });
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
