import { printable, type Style } from "./style.ts";

interface Line {
  readonly verdict: "kept" | "improved" | "dropped";
  readonly path: string;
  readonly line: number;
  readonly note: string;
}

/** What became of a domain: what is dropped, then what is better, and how much is kept as it was. */
export function renderImport(report: readonly Line[], { colors }: Style): string[] {
  const of = (verdict: Line["verdict"]) => report.filter((line) => line.verdict === verdict);
  const lines = (verdict: "improved" | "dropped", paint: (text: string) => string) =>
    of(verdict).map(
      ({ path, line, note }) =>
        `${paint(verdict.padEnd(8))}  line ${line}  ${printable(path)}: ${printable(note)}`,
    );
  const counts = (["kept", "improved", "dropped"] as const).map(
    (verdict) => `${of(verdict).length} ${verdict}`,
  );
  return [...lines("dropped", colors.yellow), ...lines("improved", colors.green), counts.join(", ")];
}
