import type { IdSet } from "../units/index.ts";
import type { CpuTopology } from "./cpu.ts";

export type Distribution = "contiguous" | "siblings" | "round-robin" | "interleave";

export interface Dealt {
  /** vCPUs of each cell. */
  readonly cells: readonly IdSet[];
  readonly topology: CpuTopology;
}

/**
 * Deals vCPUs to cells, core by core: a core is never split, so that a guest sees siblings on one node. Where the cores
 * do not come out even, the first cells have one more.
 *
 * The topology goes with it, unless it is given: a socket for each cell where each has the same consecutive cores, else
 * a socket for each core, because what shares a socket shares a cache, and guests take such CPUs for one node's.
 *
 * @param given the profile's topology
 * @param hostThreads threads of a host core
 * @returns undefined where a cell would have no core
 */
export function dealVcpus(
  max: number,
  cells: number,
  distribution: Distribution,
  given: CpuTopology | undefined,
  hostThreads: number,
): Dealt | undefined {
  const threads = given?.threads ?? threadsFor(max, distribution, hostThreads);
  const cores = Math.ceil(max / threads);
  if (cores < cells) return undefined;
  const isDealtRound = distribution === "round-robin" || distribution === "interleave";
  const cellOf = isDealtRound ? (core: number) => core % cells : consecutive(cores, cells);
  const dealt = Array.from({ length: cells }, (): number[] => []);
  for (let id = 0; id < max; id++) dealt[cellOf(Math.floor(id / threads))]?.push(id);
  const sockets = !isDealtRound && cores % cells === 0 ? cells : cores;
  return { cells: dealt, topology: given ?? { sockets, dies: 1, cores: cores / sockets, threads } };
}

/**
 * Consecutive vCPUs to cells of these sizes.
 * @param cores of each cell; together they are all that the vCPUs make
 */
export function dealBySize(cores: readonly number[], threads: number, given: CpuTopology | undefined): Dealt {
  let next = 0;
  const cells = cores.map((count) => {
    const first = next;
    next += count * threads;
    return Array.from({ length: count * threads }, (_, index) => first + index);
  });
  const sockets = next / threads;
  return { cells, topology: given ?? { sockets, dies: 1, cores: 1, threads } };
}

/** round-robin deals single vCPUs, and only siblings is about the host's threads. */
function threadsFor(max: number, distribution: Distribution, hostThreads: number): number {
  const wanted = distribution === "siblings" || distribution === "interleave" ? hostThreads : 1;
  return max % wanted === 0 ? wanted : 1;
}

function consecutive(cores: number, cells: number): (core: number) => number {
  const least = Math.floor(cores / cells);
  const larger = cores % cells;
  const inLarger = larger * (least + 1);
  return (core) =>
    core < inLarger ? Math.floor(core / (least + 1)) : larger + Math.floor((core - inLarger) / least);
}
