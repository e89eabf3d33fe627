import type { NodeLeft } from "../plan/left-over.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import type { Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

const columns: Column<NodeLeft>[] = [
  { header: "node", value: ({ node }) => node },
  { header: "CPUs left", value: ({ cpus }) => formatIdSet(cpus) },
  { header: "memory left", value: ({ bytes }) => describeByteSize(bytes), align: "right" },
];

/** Node by node what other guests can have. */
export function renderLeftOver(left: readonly NodeLeft[], style: Style): string[] {
  return renderTable(left, columns, style);
}
