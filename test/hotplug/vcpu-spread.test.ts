import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { respread, type SpreadGuest } from "../../src/hotplug/vcpu-spread.ts";
import { type SpreadCell, spreadBalanced } from "../../src/plan/vcpu-spread.ts";

/** Cells with as many cores as given, each of some threads, numbered through. */
function guestOf(coresByCell: readonly number[], threads: number): SpreadGuest & { all: number[] } {
  let next = 0;
  const cells: SpreadCell[] = coresByCell.map((count) => ({
    cores: Array.from({ length: count }, () => Array.from({ length: threads }, () => next++)),
  }));
  return { cells, fixed: new Set([0]), all: Array.from({ length: next }, (_, id) => id) };
}

const guest = guestOf([2, 2, 2, 2], 2);

describe("balanced", () => {
  it("keeps 0,1,4,5,8,9,12,13 of sixteen", () => {
    expect(respread(guest, guest.all, 8, "balanced")).toEqual([0, 1, 4, 5, 8, 9, 12, 13]);
  });

  it("comes back to where it was", () => {
    expect(respread(guest, [0, 1, 4, 5, 8, 9, 12, 13], 16, "balanced")).toEqual(guest.all);
    expect(respread(guest, [0, 1, 4, 5], 8, "balanced")).toEqual([0, 1, 4, 5, 8, 9, 12, 13]);
  });

  it("fills and empties a core that was begun before any other", () => {
    expect(respread(guest, [0, 1, 14], 4, "balanced")).toEqual([0, 1, 14, 15]);
    expect(respread(guest, [0, 1, 2, 3, 14], 4, "balanced")).toEqual([0, 1, 2, 3]);
  });

  it("levels cells that something else made uneven", () => {
    expect(respread(guest, [0, 1, 2, 3], 8, "balanced")).toEqual([0, 1, 2, 3, 4, 5, 8, 9]);
    expect(respread(guest, [0, 1, 2, 3, 8, 9], 4, "balanced")).toEqual([0, 1, 8, 9]);
  });

  it("keeps what cannot leave", () => {
    expect(respread({ ...guest, fixed: new Set([0, 1, 2, 3]) }, [0, 1, 2, 3, 4], 1, "balanced")).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it("leads from any start to what a start with that number would have chosen", () => {
    const guests = fc
      .tuple(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(1, 2, 4),
      )
      .map(([cores, threads]) => guestOf(cores, threads))
      .filter(({ all }) => all.length > 0);
    fc.assert(
      fc.property(guests, fc.nat(), fc.nat(), (some, a, b) => {
        const [from, to] = [a, b].map((number) => 1 + (number % some.all.length)) as [number, number];
        const before = spreadBalanced(some.cells, from);
        expect(respread(some, before, to, "balanced")).toEqual(spreadBalanced(some.cells, to));
      }),
    );
  });
});

it("tail takes from the end, and fills from the start", () => {
  expect(respread(guest, guest.all, 8, "tail")).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(respread(guest, [0, 1, 8], 5, "tail")).toEqual([0, 1, 2, 3, 8]);
});

it("only adds when there shall be more, and only removes when there shall be fewer", () => {
  fc.assert(
    fc.property(
      fc.subarray(guest.all.slice(1)),
      fc.integer({ min: 1, max: 16 }),
      fc.constantFrom("balanced" as const, "tail" as const),
      (others, count, spread) => {
        const before = [0, ...others];
        const after = respread(guest, before, count, spread);
        expect(after).toHaveLength(count);
        const [small, large] = count > before.length ? [before, after] : [after, before];
        expect(small.every((id) => large.includes(id))).toBe(true);
      },
    ),
  );
});
