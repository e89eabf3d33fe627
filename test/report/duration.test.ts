import { expect, it } from "vitest";
import { describeDuration } from "../../src/report/index.ts";

it.each([
  [0, "0 ms"],
  [12.4, "12 ms"],
  [999.4, "999 ms"],
  [999.6, "1.0 s"],
  [59_949, "59.9 s"],
  [59_950, "1 min 0 s"],
  [125_000, "2 min 5 s"],
  [3_599_999, "1 h 0 min"],
  [12_000_000, "3 h 20 min"],
  [356_400_000, "4 d 3 h"],
])("%d ms is %s", (elapsedMs, expected) => {
  expect(describeDuration(elapsedMs)).toBe(expected);
});
