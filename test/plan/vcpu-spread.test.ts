import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { spreadBalanced } from "../../src/plan/vcpu-spread.ts";
import { formatIdSet } from "../../src/units/index.ts";

/** Cells of consecutive vCPUs, so many each, of cores of `threads`. */
function cells(sizes: readonly number[], threads: number) {
  let next = 0;
  return sizes.map((size) => ({
    cores: Array.from({ length: size / threads }, () => Array.from({ length: threads }, () => next++)),
  }));
}

describe.each([
  [
    "four cells of two cores of two threads",
    [4, 4, 4, 4],
    2,
    {
      1: "0",
      2: "0-1",
      3: "0-1,4",
      5: "0-1,4-5,8",
      8: "0-1,4-5,8-9,12-13",
      9: "0-2,4-5,8-9,12-13",
      15: "0-14",
      16: "0-15",
    },
  ],
  ["unequal cells", [2, 6], 1, { 1: "0", 2: "0,2", 4: "0-3", 5: "0-4", 7: "0-6" }],
  ["a cell without vCPUs", [0, 4], 2, { 1: "0", 2: "0-1", 3: "0-2" }],
  ["one cell", [6], 1, { 3: "0-2" }],
])("%s", (_, sizes, threads, expected) => {
  it.each(Object.entries(expected))("asked for %s keeps %s", (count, kept) => {
    expect(formatIdSet(spreadBalanced(cells(sizes, threads), Number(count)))).toBe(kept);
  });
});

it("keeps vCPU 0 wherever it is", () => {
  const strange = [{ cores: [[4], [5]] }, { cores: [[2], [0], [1]] }, { cores: [[3]] }];
  expect(spreadBalanced(strange, 1)).toEqual([0]);
  expect(spreadBalanced(strange, 3)).toEqual([0, 3, 4]);
});

it("keeps as many as asked, vCPU 0 among them, and cells no more than a core apart while they last", () => {
  const shape = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
    threads: fc.constantFrom(1, 2, 4),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(shape, ({ sizes, threads, share }) => {
      const all = cells(
        sizes.map((cores) => cores * threads),
        threads,
      );
      const total = all.reduce((sum, cell) => sum + cell.cores.flat().length, 0);
      const count = Math.max(1, Math.round(share * total));
      const kept = new Set(spreadBalanced(all, count));
      expect(kept.size).toBe(count);
      expect(kept.has(0)).toBe(true);
      const levels = all.map((cell) => cell.cores.flat().filter((id) => kept.has(id)).length);
      const open = levels.filter((level, index) => level < (all[index]?.cores.flat().length ?? 0));
      for (const level of open) expect(Math.max(...levels) - level).toBeLessThanOrEqual(threads);
    }),
  );
});
