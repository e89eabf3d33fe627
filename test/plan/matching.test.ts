import fc from "fast-check";
import { expect, it } from "vitest";
import { canEachHaveOwn } from "../../src/plan/matching.ts";

const all = "all can";
it.each([
  ["nobody", [], all],
  ["one choice each", [[1], [2]], all],
  ["a chain that has to be turned round", [[1, 2], [1, 3], [1]], all],
  [
    "a longer one",
    [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 1],
      [5, 1],
    ],
    all,
  ],
  ["two on one", [[1], [1]], { members: [0, 1], choices: [1] }],
  ["one without a choice", [[1], []], { members: [1], choices: [] }],
  [
    "the starved ones among others",
    [[9], [1, 2], [8, 9], [1, 2], [2, 1]],
    { members: [1, 3, 4], choices: [1, 2] },
  ],
])("%s", (_, choices, expected) => expect(canEachHaveOwn(choices) ?? all).toEqual(expected));

const sets = fc.array(fc.uniqueArray(fc.nat(6), { maxLength: 4 }), { maxLength: 7 });

it("agrees with trying everything", () => {
  fc.assert(fc.property(sets, (choices) => (canEachHaveOwn(choices) === undefined) === canByTrying(choices)));
});

it("answers with a group that has fewer choices than members", () => {
  fc.assert(
    fc.property(sets, (choices) => {
      const starved = canEachHaveOwn(choices);
      if (!starved) return;
      const theirs = new Set(starved.members.flatMap((member) => choices[member] ?? []));
      expect([...theirs].sort()).toEqual(starved.choices);
      expect(starved.members.length).toBeGreaterThan(theirs.size);
    }),
  );
});

it("gives members with the same array what members with equal ones get", () => {
  fc.assert(
    fc.property(sets, fc.array(fc.nat(6), { maxLength: 12 }), (kinds, picks) => {
      const shared = picks.flatMap((pick) => (kinds[pick] ? [kinds[pick]] : []));
      expect(canEachHaveOwn(shared) === undefined).toBe(canByTrying(shared));
    }),
  );
});

function canByTrying(choices: readonly (readonly number[])[], taken: readonly number[] = []): boolean {
  const [first, ...rest] = choices;
  if (!first) return true;
  return first.some((choice) => !taken.includes(choice) && canByTrying(rest, [...taken, choice]));
}
