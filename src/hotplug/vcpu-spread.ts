import type { SpreadCell } from "../plan/vcpu-spread.ts";

/** How vCPUs are chosen that come or go. */
export type Spread = "balanced" | "tail";

/** The cells of a guest, and what cannot leave it. */
export interface SpreadGuest {
  readonly cells: readonly SpreadCell[];
  /** vCPUs that stay whatever is asked; 0 among them. */
  readonly fixed: ReadonlySet<number>;
}

/**
 * The vCPUs of a guest that has `present` and shall have `count`: only additions when that is more, only removals
 * when it is fewer. balanced: a core that was begun is filled, or emptied, first; then the cell with the fewest vCPUs
 * gets its lowest free core, or the one with the most gives up its highest. From what `spreadBalanced` chose this
 * leads to what it would choose. tail: the lowest numbers come first, the highest go first.
 * @returns ascending numbers; fewer or more than `count` only when there are not enough, or too many are fixed
 */
export function respread(
  guest: SpreadGuest,
  present: readonly number[],
  count: number,
  spread: Spread,
): number[] {
  const now = new Set(present);
  const next = {
    balanced: { add: nextToAdd, drop: nextToDrop },
    tail: { add: lowestFree, drop: highestPresent },
  };
  const { add, drop } = next[spread];
  while (now.size < count) {
    const vcpu = add(guest, now);
    if (vcpu === undefined) break;
    now.add(vcpu);
  }
  while (now.size > count) {
    const vcpu = drop(guest, now);
    if (vcpu === undefined) break;
    now.delete(vcpu);
  }
  return [...now].sort((a, b) => a - b);
}

interface Core {
  readonly threads: readonly number[];
  readonly cell: number;
  /** How many vCPUs its cell has. */
  readonly level: number;
  readonly has: number;
}

function nextToAdd({ cells }: SpreadGuest, now: ReadonlySet<number>): number | undefined {
  const open = coresOf(cells, now).filter(({ has, threads }) => has < threads.length);
  const begun = open.filter(({ has }) => has > 0);
  // The order of cores is that of their numbers, so the first of the lowest cell is the one.
  const core = best(begun.length > 0 ? begun : open, (a, b) => a.level < b.level);
  return core?.threads.find((vcpu) => !now.has(vcpu));
}

function nextToDrop({ cells, fixed }: SpreadGuest, now: ReadonlySet<number>): number | undefined {
  const movable = ({ threads }: Core) => threads.filter((vcpu) => now.has(vcpu) && !fixed.has(vcpu));
  const open = coresOf(cells, now).filter((core) => movable(core).length > 0);
  const begun = open.filter(({ has, threads }) => has < threads.length);
  // The core of a vCPU that stays is the last to be broken up.
  const whole = open.filter(({ threads }) => !threads.some((vcpu) => fixed.has(vcpu)));
  const choice = [begun, whole, open].find((cores) => cores.length > 0) ?? [];
  const core = best(choice, (a, b) => a.level >= b.level);
  return core && movable(core).at(-1);
}

function lowestFree({ cells }: SpreadGuest, now: ReadonlySet<number>): number | undefined {
  return numbers(cells).find((vcpu) => !now.has(vcpu));
}

function highestPresent({ cells, fixed }: SpreadGuest, now: ReadonlySet<number>): number | undefined {
  return numbers(cells).findLast((vcpu) => now.has(vcpu) && !fixed.has(vcpu));
}

const numbers = (cells: readonly SpreadCell[]) =>
  cells.flatMap(({ cores }) => cores.flat()).sort((a, b) => a - b);

/** By cell, then by number. */
function coresOf(cells: readonly SpreadCell[], now: ReadonlySet<number>): Core[] {
  const has = (threads: readonly number[]) => threads.filter((vcpu) => now.has(vcpu)).length;
  return cells.flatMap(({ cores }, cell) => {
    const level = has(cores.flat());
    return cores.map((threads) => ({ threads, cell, level, has: has(threads) }));
  });
}

function best(cores: readonly Core[], isBetter: (core: Core, than: Core) => boolean): Core | undefined {
  return cores.reduce<Core | undefined>(
    (found, core) => (found === undefined || isBetter(core, found) ? core : found),
    undefined,
  );
}
