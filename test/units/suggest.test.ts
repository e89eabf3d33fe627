import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { closest, editDistance } from "../../src/units/suggest.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["boot", "boot", 0],
    ["", "abc", 3],
    ["memroy", "memory", 1],
    ["boot", "bot", 1],
    ["boot", "boots", 1],
    ["boot", "loot", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("%s to %s is %d", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  test("it is the same both ways, and 0 only for the same word", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (from, to) => {
        expect(editDistance(from, to)).toBe(editDistance(to, from));
        expect(editDistance(from, to) === 0).toBe(from === to);
      }),
    );
  });
});

describe("closest", () => {
  const keys = ["boot", "max", "model", "features", "topology", "hotpluggable"];

  it.each([
    ["boott", "boot"],
    ["Boot", "boot"],
    ["modle", "model"],
    ["hotplugable", "hotpluggable"],
    ["hot", "hotpluggable"],
    ["maximum", undefined],
    ["xyz", undefined],
    ["m", undefined],
  ])("%s means %s", (word, meant) => {
    expect(closest(word, keys)).toBe(meant);
  });

  it("takes the start of a word only when one word has it", () => {
    expect(closest("virtio", ["virtio-blk", "virtio-scsi"])).toBeUndefined();
  });
});
