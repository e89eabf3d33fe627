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

/** What a start does first, before the guest runs. */
export function renderTaking({ bytes, estimate }: { bytes: number; estimate: string }): string {
  return `The start takes ${describeByteSize(bytes)} of memory first: ${estimate} at 1 GiB/s a thread.`;
}
