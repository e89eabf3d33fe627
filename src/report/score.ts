import type { Score, ScoreLine } from "../plan/score.ts";
import type { Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** How well a plan lies on the host, line by line; what does not apply has a dash. */
export function renderScore({ total, lines }: Score, style: Style): string[] {
  const columns: Column<ScoreLine>[] = [
    { header: "placement", value: ({ part }) => part, isWhole: true },
    { header: "weight", value: ({ weight }) => weight },
    {
      header: "good",
      value: ({ good, all }) => (all === 0 ? undefined : `${good} of ${all}`),
      align: "right",
    },
    { header: "what", value: ({ about }) => about },
  ];
  return [
    `${style.colors.bold("score")} ${Math.round(total)} of 100`,
    "",
    ...renderTable(lines, columns, style),
  ];
}
