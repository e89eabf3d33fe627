import fc from "fast-check";
import { expect, it } from "vitest";
import { starvedGroups } from "../../src/plan/matching.ts";

it.each([
  ["nobody", [], []],
  ["one choice each", [[1], [2]], []],
  ["a chain that has to be turned round", [[1, 2], [1, 3], [1]], []],
  [
    "a longer one",
    [
      [1, 2],
      [2, 3],
      [3, 4],
      [4, 1],
      [5, 1],
    ],
    [],
  ],
  ["two on one", [[1], [1]], [{ members: [0, 1], choices: [1] }]],
  ["one without a choice", [[1], []], [{ members: [1], choices: [] }]],
  [
    "the starved ones among others",
    [[9], [1, 2], [8, 9], [1, 2], [2, 1]],
    [{ members: [1, 3, 4], choices: [1, 2] }],
  ],
  ["all who are confined to the same", [[1], [1], [2], [1], [1]], [{ members: [0, 1, 3, 4], choices: [1] }]],
  [
    "two groups",
    [[1], [1], [2, 3], [2], [3], [4]],
    [
      { members: [0, 1], choices: [1] },
      { members: [2, 3, 4], choices: [2, 3] },
    ],
  ],
])("%s", (_, choices, expected) => expect(starvedGroups(choices)).toEqual(expected));

const sets = fc.array(fc.uniqueArray(fc.nat(6), { maxLength: 4 }), { maxLength: 7 });

it("agrees with trying everything", () => {
  fc.assert(fc.property(sets, (choices) => (starvedGroups(choices).length === 0) === canByTrying(choices)));
});

it("answers with groups that have fewer choices than members", () => {
  fc.assert(
    fc.property(sets, (choices) => {
      for (const starved of starvedGroups(choices)) {
        const theirs = new Set(starved.members.flatMap((member) => choices[member] ?? []));
        expect([...theirs].sort()).toEqual(starved.choices);
        expect(starved.members.length).toBeGreaterThan(theirs.size);
      }
    }),
  );
});

it("gives members with the same array what members with equal ones get", () => {
  fc.assert(
    fc.property(sets, fc.array(fc.nat(6), { maxLength: 12 }), (kinds, picks) => {
      const shared = picks.flatMap((pick) => (kinds[pick] ? [kinds[pick]] : []));
      expect(starvedGroups(shared).length === 0).toBe(canByTrying(shared));
    }),
  );
});

function canByTrying(choices: readonly (readonly number[])[], taken: readonly number[] = []): boolean {
  const [first, ...rest] = choices;
  if (!first) return true;
  return first.some((choice) => !taken.includes(choice) && canByTrying(rest, [...taken, choice]));
}
