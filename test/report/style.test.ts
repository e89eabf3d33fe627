import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { styleFor } from "../../src/report/index.ts";
import { counted, fitted, printable } from "../../src/report/style.ts";

describe("styleFor", () => {
  it.each([
    [
      { isTerminal: true, columns: 100 },
      { interactive: true, unicode: true, columns: 100, colour: true },
    ],
    [
      { isTerminal: true, columns: 100, noColor: "1" },
      { interactive: true, unicode: false, columns: 100, colour: false },
    ],
    [
      { isTerminal: true, columns: 100, noColor: "" },
      { interactive: true, unicode: true, columns: 100, colour: true },
    ],
    [
      { isTerminal: false, columns: 100 },
      { interactive: false, unicode: false, columns: undefined, colour: false },
    ],
  ])("%j", (output, { colour, ...expected }) => {
    const { colors, ...style } = styleFor({ ...output, colors: picocolors.createColors(true) });
    expect(style).toEqual(expected);
    expect(colors.red("x")).toBe(colour ? "\u001b[31mx\u001b[39m" : "x");
  });
});

it("text of others cannot move the cursor or change the colours", () => {
  expect(printable("a\u001b[31mb\r\n\tc\u009b2J\u007f")).toBe("a [31mb   c 2J ");
});

it.each([
  ["abcdef", 6, "abcdef"],
  ["abcdefg", 6, "abc..."],
  ["abcdefg", 2, "..."],
])("%s in %d columns is %s", (text, width, expected) => {
  expect(fitted(text, width)).toBe(expected);
});

it("counts", () => {
  expect([counted(0, "problem"), counted(1, "problem"), counted(2, "problem")]).toEqual([
    "0 problems",
    "1 problem",
    "2 problems",
  ]);
});
