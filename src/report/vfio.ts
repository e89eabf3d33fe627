import type { PciFunction } from "../host/topology.ts";
import type { DriverChange } from "../vm/index.ts";
import { describePciClass } from "./pci.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

type Listed = Pick<
  PciFunction,
  "address" | "iommuGroup" | "kind" | "class" | "vendor" | "device" | "node" | "driver" | "hostUse"
> & { readonly vm?: string };

/** `qlaunch vfio list`: a function a line, those of one IOMMU group together. */
export function renderHostFunctions(functions: readonly Listed[], style: Style): string[] {
  if (functions.length === 0) return ["no device that a guest can be given: see IOMMU in qlaunch host show"];
  return renderTable(functions, columns, style);
}

const columns: Column<Listed>[] = [
  { header: "group", value: ({ iommuGroup }) => iommuGroup },
  { header: "address", value: ({ address }) => address, isWhole: true },
  {
    header: "class",
    value: ({ kind, class: code }) => (kind === "endpoint" ? describePciClass(code) : kind),
  },
  { header: "ids", value: ({ vendor, device }) => `${vendor}:${device}`, isWhole: true },
  { header: "node", value: ({ node }) => (node < 0 ? undefined : node) },
  { header: "driver", value: ({ driver }) => driver },
  { header: "VM", value: ({ vm }) => vm },
  { header: "needed for", value: ({ hostUse }) => hostUse },
];

/** `qlaunch vfio bind` and `unbind`: what each function has now. */
export function renderDriverChanges(changes: readonly DriverChange[]): string[] {
  return changes.map(({ address, from, to }) => {
    const now = to ?? "no driver";
    const before = from ?? "no driver";
    return printable(`${address} has ${now}${now === before ? " as before" : `, and had ${before}`}`);
  });
}
