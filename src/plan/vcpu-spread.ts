/** Which vCPUs a guest of fewer than its maximum has. */
export interface SpreadCell {
  /** The cell's vCPUs by guest core, each core's threads together, in ascending order. */
  readonly cores: readonly (readonly number[])[];
}

/**
 * The vCPUs that stay when a guest of these cells has `count` of them: cells stay level, the threads of a core come
 * and go together, and each cell gives up its highest ids first. 16 vCPUs in 4 cells of 2 cores of 2 threads, asked
 * for 8, keep 0,1,4,5,8,9,12,13. vCPU 0 always stays.
 *
 * @param count 1 to the number of vCPUs in all cells
 * @returns vCPU numbers in ascending order
 */
export function spreadBalanced(cells: readonly SpreadCell[], count: number): number[] {
  const kept: number[] = [];
  const queues = cells.map((cell) =>
    [...cell.cores].sort((a, b) => Number(b.includes(0)) - Number(a.includes(0))),
  );
  const home = cells.findIndex((cell) => cell.cores.some((core) => core.includes(0)));
  const levels = cells.map(() => 0);
  while (kept.length < count) {
    // The lowest cell gets the next core; the first turn is vCPU 0's.
    let lowest = kept.length === 0 ? home : -1;
    for (const [index, queue] of queues.entries()) {
      if (queue.length === 0 || kept.length === 0) continue;
      if (lowest === -1 || (levels[index] ?? 0) < (levels[lowest] ?? 0)) lowest = index;
    }
    const core = queues[lowest]?.shift();
    if (!core) break;
    // An odd count ends within a core: its lower threads are kept.
    const threads = core.slice(0, count - kept.length);
    kept.push(...threads);
    levels[lowest] = (levels[lowest] ?? 0) + threads.length;
  }
  return kept.sort((a, b) => a - b);
}
