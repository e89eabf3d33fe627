import { fitted, printable, type Style } from "./style.ts";

/** One column: what it is called, with its unit, and what a row has there. */
export interface Column<Row> {
  readonly header: string;
  readonly value: (row: Row) => string | number | undefined;
  /** Default: right for numbers, left for text. */
  readonly align?: "left" | "right";
  /** Never cut: a name that people copy. Default false. */
  readonly isWhole?: boolean;
}

const gap = "  ";
/** A column is not cut below this. */
const leastWidth = 8;

/**
 * Rows below headers. What is absent is a dash. On a terminal the widest column that may be cut is, until a line fits;
 * elsewhere nothing is cut. No line ends in spaces.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: Style,
): string[] {
  const texts = rows.map((row) => columns.map((column) => cellText(column.value(row))));
  const isRight = columns.map(
    ({ align, value }) => (align ?? (isNumeric(rows.map(value)) ? "right" : "left")) === "right",
  );
  const headers = columns.map(({ header }) => header);
  const natural = headers.map((header, index) =>
    Math.max(...[header, ...texts.map((row) => row[index] ?? "")].map((text) => text.length)),
  );
  const widths =
    style.interactive && style.columns !== undefined
      ? shrink(
          natural,
          columns.map(({ isWhole = false }) => isWhole),
          style.columns,
        )
      : natural;
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        const text = fitted(cell, width);
        return isRight[index] ? text.padStart(width) : text.padEnd(width);
      })
      .join(gap)
      .trimEnd();
  return [style.colors.bold(line(headers)), ...texts.map(line)];
}

function cellText(value: string | number | undefined): string {
  return value === undefined || value === "" ? "-" : printable(String(value));
}

function isNumeric(values: readonly (string | number | undefined)[]): boolean {
  const present = values.filter((value) => value !== undefined);
  return present.length > 0 && present.every((value) => typeof value === "number");
}

function shrink(natural: readonly number[], isWhole: readonly boolean[], columns: number): number[] {
  const widths = [...natural];
  const available = columns - gap.length * (widths.length - 1);
  for (let excess = sum(widths) - available; excess > 0; excess = sum(widths) - available) {
    // A column that stays whole counts for nothing here.
    const candidates = widths.map((width, index) => (isWhole[index] ? 0 : width));
    const widest = candidates.indexOf(Math.max(...candidates));
    const width = candidates[widest] ?? 0;
    if (width <= leastWidth) break;
    widths[widest] = Math.max(leastWidth, width - excess, secondOf(candidates, widest));
    if (widths[widest] === width) widths[widest] = width - 1;
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function secondOf(widths: readonly number[], except: number): number {
  return Math.max(0, ...widths.filter((_, index) => index !== except));
}
