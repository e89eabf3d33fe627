import {
  describeByteSize,
  formatIdSet,
  type IdSet,
  idDifference,
  idIntersection,
  idUnion,
} from "../units/index.ts";
import type { Draft } from "./draft.ts";
import type { Cell } from "./numa.ts";
import type { Properties } from "./options.ts";
import { bytesPerThreadSecond, describeTaking } from "./taken-memory.ts";
import type { PlacedCell } from "./types.ts";

const mebibyte = 2 ** 20;
/** QEMU makes no more for a backend, and gives none less than this. @see qemu util/oslib-posix.c */
const mostThreads = 16;
const leastBytesOfThread = 64 * mebibyte;
export const ordinaryPageBytes = 4096;

export function isHuge(pageSizeBytes: number | undefined): boolean {
  return (pageSizeBytes ?? ordinaryPageBytes) > ordinaryPageBytes;
}

export function isPreallocated(draft: Draft, pageSizeBytes: number | undefined): boolean {
  return draft.profile.memory.prealloc ?? isHuge(pageSizeBytes);
}

/** Memory whose pages are taken before the guest runs. */
export interface Preallocated {
  readonly sizeBytes: number;
  readonly pageSizeBytes: number | undefined;
  readonly cell: Pick<PlacedCell, "hostNodes">;
}

/** Threads that touch the pages: a CPU each of the nodes that the pages are on, unless the profile says otherwise. */
export function preallocThreads(draft: Draft, memory: Preallocated): number {
  const { sizeBytes, pageSizeBytes = 0, cell } = memory;
  const parts = Math.floor(sizeBytes / Math.max(leastBytesOfThread, pageSizeBytes));
  const near = usableNodes(draft, cell.hostNodes);
  const cpus = idUnion((near.length > 0 ? near : usableNodes(draft, undefined)).map((node) => node.cpus));
  const wanted = draft.profile.memory.preallocThreads ?? Math.min(cpus.length, parts);
  return Math.max(1, Math.min(mostThreads, wanted));
}

/** Nodes with CPUs that this program may use, and these. */
function usableNodes({ host: { nodes, share } }: Draft, hostNodes: IdSet | undefined) {
  return nodes
    .filter(({ id }) => hostNodes?.includes(id) ?? true)
    .map(({ id, cpus }) => ({ id, cpus: share ? idIntersection(cpus, share.cpus) : cpus }))
    .filter(({ cpus }) => cpus.length > 0);
}

/**
 * Threads that zero the pages run on the node that gets them, where QEMU can place threads (from 7.2 on). It makes
 * contexts of the command line before `-sandbox` takes sched_setaffinity away, so nothing has to be allowed for them.
 * @returns the decision behind it, and the id of the context that places the threads
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html (ThreadContextProperties)
 */
export function planPreallocation(
  draft: Draft,
  cell: Cell,
  pageSizeBytes: number | undefined,
): { because: string; context: string | undefined } {
  const threads = preallocThreads(draft, { sizeBytes: cell.memoryBytes, pageSizeBytes, cell });
  const nodes = cell.hostNodes ? usableNodes(draft, cell.hostNodes) : [];
  const placed = nodes.length > 0 && hasContexts(draft);
  const affinity = contextAffinity(draft, nodes);
  const on = affinity.cpus
    ? `host CPUs ${formatIdSet(affinity.cpus)}`
    : `host node ${formatIdSet(nodes.map(({ id }) => id))}`;
  const because = draft.decide("preallocation", `numa.cell${cell.id}.prealloc`, {
    value: [
      `${threads} ${threads === 1 ? "thread" : "threads"}${placed ? ` on ${on}` : ""}`,
      describeTaking([{ bytes: cell.memoryBytes, threads }]),
    ].join(", "),
    rule: "The kernel zeroes every page before QEMU goes on, so threads on the pages' node do it, 16 at most and none for less than 64 MiB. They are placed before the sandbox closes, which therefore has no rule less.",
    facts: [
      `counted on ${describeByteSize(bytesPerThreadSecond)}/s a thread; \`up\` tells what it is`,
      ...(placed ? [] : [whyNotPlaced(cell, nodes.length > 0)]),
      ...(affinity.cpus ? ["isolated CPUs are left out: the scheduler would put all threads on one"] : []),
    ],
    source: placed ? "threadContext" : "invocation",
  });
  if (!placed) return { because, context: undefined };
  const id = `prealloc-node${cell.id}`;
  draft.claimId("object", id, ["memory", "prealloc"]);
  draft.add({
    option: "object",
    qomType: "thread-context",
    id,
    properties: affinity.properties,
    because: [because],
  });
  return { because, context: id };
}

function hasContexts({ host: { qemu } }: Draft): boolean {
  return qemu === undefined || qemu.objects.length === 0 || qemu.objects.includes("thread-context");
}

function whyNotPlaced({ hostNodes }: Cell, areCpusThere: boolean): string {
  if (hostNodes === undefined) return "the memory is not bound, so its threads are not placed";
  if (!areCpusThere) return `host node ${formatIdSet(hostNodes)} has no CPU for threads`;
  return "this QEMU cannot place threads: it has no thread-context, which came with 7.2";
}

/** The nodes; or their CPUs, where only some of them are isolated: threads on those are not spread. */
function contextAffinity(
  { host }: Draft,
  nodes: readonly { readonly id: number; readonly cpus: IdSet }[],
): { cpus?: IdSet; properties: Properties } {
  const cpus = idUnion(nodes.map((node) => node.cpus));
  const isolated = host.cpus.filter((cpu) => cpu.isolated).map((cpu) => cpu.id);
  const spread = idDifference(cpus, isolated);
  return spread.length === 0 || spread.length === cpus.length
    ? { properties: { "node-affinity": nodes.map(({ id }) => id) } }
    : { cpus: spread, properties: { "cpu-affinity": spread } };
}
