import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatIdSet,
  idDifference,
  idIntersection,
  idRanges,
  idUnion,
  parseIdSet,
} from "../../src/units/index.ts";

describe("parseIdSet", () => {
  it.each([
    ["", []],
    ["  ", []],
    ["5", [5]],
    ["0-3", [0, 1, 2, 3]],
    ["0-3,^2,8", [0, 1, 3, 8]],
    ["^2,0-3", [0, 1, 3]],
    ["8,1,1-2", [1, 2, 8]],
    [" 1 , 3-4 ", [1, 3, 4]],
    ["0-14,60-62", [...Array(15).keys(), 60, 61, 62]],
    ["^1-2,0-3", [0, 3]],
    ["^1", []],
  ])("reads %j", (text, ids) => expect(parseIdSet(text)).toEqual(ids));

  it.each(["a", "3-1", "1-", "-1", "1,,2", "1;2", "^", "0-1048576", "1.5", "0x1"])(
    "does not read %j",
    (text) => expect(parseIdSet(text)).toBeUndefined(),
  );
});

const sets = fc.uniqueArray(fc.nat(200)).map((ids) => ids.sort((a, b) => a - b));

it("is written as the kernel writes it, and read back as what it was", () => {
  expect(formatIdSet([0, 1, 2, 4, 6, 7])).toBe("0-2,4,6-7");
  expect(formatIdSet([])).toBe("");
  fc.assert(fc.property(sets, (ids) => void expect(parseIdSet(formatIdSet(ids))).toEqual(ids)));
});

it("has runs that cover it, with gaps between", () => {
  fc.assert(
    fc.property(sets, (ids) => {
      const ranges = idRanges(ids);
      expect(
        ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i)),
      ).toEqual(ids);
      for (const [index, [first]] of ranges.entries()) {
        const before = ranges[index - 1];
        if (before) expect(first).toBeGreaterThan(before[1] + 1);
      }
    }),
  );
});

it("has a difference, an intersection and a union", () => {
  fc.assert(
    fc.property(sets, sets, (a, b) => {
      expect(idUnion([idDifference(a, b), idIntersection(a, b)])).toEqual(a);
      expect(idIntersection(idDifference(a, b), b)).toEqual([]);
      expect(idUnion([a, b])).toEqual(idUnion([b, a]));
    }),
  );
});
