import { expect, it } from "vitest";
import { renderScore } from "../../src/report/index.ts";
import { plain } from "./style.ts";

it("has a line for each part, and a dash where it does not apply", () => {
  const lines = [
    { part: "memory", about: "local", good: 3, all: 4, weight: 30 },
    { part: "caches", about: "few", good: 0, all: 0, weight: 15 },
  ] as const;
  expect(renderScore({ total: 74.6, lines }, plain)).toEqual([
    "score 75 of 100",
    "",
    "placement  weight    good  what",
    "memory         30  3 of 4  local",
    "caches         15       -  few",
  ]);
});
