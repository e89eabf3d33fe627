import fc from "fast-check";
import { expect, it, test } from "vitest";
import { type Column, renderTable } from "../../src/report/index.ts";
import { colourless, plain } from "./style.ts";

interface Row {
  readonly name: string;
  readonly pid?: number;
  readonly memory: string;
}

const columns: Column<Row>[] = [
  { header: "name", value: ({ name }) => name },
  { header: "pid", value: ({ pid }) => pid },
  { header: "memory", value: ({ memory }) => memory, align: "right" },
  { header: "note", value: ({ name }) => (name === "a" ? "first" : undefined) },
];

it("aligns columns, numbers to the right, and what is absent is a dash", () => {
  const rows = [
    { name: "a", pid: 4242, memory: "8 GiB" },
    { name: "longer", memory: "512 MiB" },
  ];
  expect(renderTable(rows, columns, plain)).toEqual([
    "name     pid   memory  note",
    "a       4242    8 GiB  first",
    "longer     -  512 MiB  -",
  ]);
});

it("without rows has its headers", () => {
  expect(renderTable([], columns, plain)).toEqual(["name  pid  memory  note"]);
});

it("is cut on a terminal only, the widest column first", () => {
  const rows = [{ name: "n".repeat(60), pid: 1, memory: "8 GiB" }];
  const [header, line] = renderTable(rows, columns, colourless(40));
  expect(line).toBe(`${"n".repeat(18)}...    1   8 GiB  -`);
  expect(header?.length).toBeLessThanOrEqual(40);
  expect(renderTable(rows, columns, plain)[1]?.length).toBeGreaterThan(60);
});

it("never cuts a column that stays whole", () => {
  const [first, ...rest] = columns;
  if (first === undefined) throw new Error("no column");
  const rows = [{ name: "n".repeat(60), pid: 1, memory: "m".repeat(30) }];
  const [, line] = renderTable(rows, [{ ...first, isWhole: true }, ...rest], colourless(40));
  expect(line).toBe(`${"n".repeat(60)}    1  mmmmm...  -`);
});

test("no line ends in spaces or is broken, whatever is in the cells", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: fc.string(), pid: fc.nat(), memory: fc.string() })),
      fc.integer({ min: 20, max: 200 }),
      (rows, width) => {
        for (const style of [plain, colourless(width)]) {
          const lines = renderTable(rows, columns, style);
          expect(lines).toHaveLength(rows.length + 1);
          for (const line of lines) expect(line).toMatch(/^$|^[^\n\r]*[^\s]$/u);
        }
      },
    ),
  );
});
