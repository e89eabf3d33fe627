import type { PciFunction } from "../host/topology.ts";
import { describeAcs, describeAcsChange, directAcs } from "../units/index.ts";
import type { AcsChange } from "../vm/index.ts";
import { describePciClass } from "./pci.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

type Listed = Pick<
  PciFunction,
  "address" | "kind" | "class" | "vendor" | "device" | "node" | "acs" | "ats"
> & { readonly before?: number };

/** `qlaunch acs show`: a port or NIC a line, with its bits in words. */
export function renderAcs(functions: readonly Listed[], style: Style): string[] {
  if (functions.length === 0) return ["no PCIe port and no NIC"];
  return renderTable(functions, columns, style);
}

const columns: Column<Listed>[] = [
  { header: "address", value: ({ address }) => address, isWhole: true },
  {
    header: "kind",
    value: ({ kind, class: code }) => (kind === "endpoint" ? describePciClass(code) : kind),
  },
  { header: "ids", value: ({ vendor, device }) => `${vendor}:${device}`, isWhole: true },
  { header: "node", value: ({ node }) => (node < 0 ? undefined : node) },
  { header: "ATS", value: ({ ats }) => (ats === undefined ? undefined : ats ? "on" : "off") },
  { header: "ACS", value: ({ acs }) => acs && describeAcs(acs) },
  {
    header: "acs apply",
    value: ({ kind, acs }) =>
      acs && (kind === "root-port" || kind === "downstream-port")
        ? describeAcsChange(acs.control, directAcs(acs)) || "as it is"
        : undefined,
  },
  {
    header: "acs restore",
    value: ({ acs, before }) =>
      acs && before !== undefined ? describeAcsChange(acs.control, before) || "as it is" : undefined,
  },
];

/** `qlaunch acs apply` and `restore`: what each port has now. */
export function renderAcsChanges(changes: readonly AcsChange[]): string[] {
  if (changes.length === 0) return ["nothing was changed since the machine started"];
  return changes.map(({ address, capability, before, after }) => {
    const now = describeAcs({ capability, control: after });
    return printable(`${address} has ${now}${before === after ? " as before" : ""}`);
  });
}
