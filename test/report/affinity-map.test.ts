import { expect, it } from "vitest";
import { affinityLegend, affinityMap } from "../../src/report/index.ts";

const nodes = [
  { id: 0, cpus: [0, 1, 4, 5] },
  { id: 2, cpus: [] },
  { id: 8, cpus: [2, 3, 6, 7] },
];

it.each([
  [[], "---- ----"],
  [[0, 1, 2, 3, 4, 5, 6, 7], "yyyy yyyy"],
  [[4], "--y- ----"],
  [[3, 6], "---- -yy-"],
])("%j is %s", (allowed, expected) => {
  expect(affinityMap(allowed, nodes)).toBe(expected);
});

it("the legend names the columns", () => {
  expect(affinityLegend(nodes)).toEqual(["node 0: 0-1,4-5", "node 8: 2-3,6-7"]);
});
