import type { Host } from "../src/host/index.ts";
import {
  type Added,
  type DrawnFunction,
  type DrawnRootBus,
  functionsOfTree,
  type PciModel,
} from "./pci-from-tree.ts";

/** What `lspci -tv` does not tell of a host. */
export interface AddedToLspci extends Added {
  /** NUMA node by root bus: "0000:3a". */
  readonly nodes: Readonly<Record<string, number>>;
}

/** PCI functions and the IOMMU from the tree that `lspci -tv` draws. */
export function pciFromLspci(
  text: string,
  models: Readonly<Record<string, PciModel>>,
  added: AddedToLspci,
): Pick<Host, "pci" | "iommu"> {
  const roots: (Omit<DrawnRootBus, "functions"> & { functions: DrawnFunction[] })[] = [];
  // The way down to where the text is: where each bus was drawn, and what is on it.
  const way: { column: number; bus: string; below: DrawnFunction[] }[] = [];
  for (const line of text.split("\n")) {
    for (const match of line.matchAll(token)) {
      const { domain, bus, place, secondary, model } = match.groups ?? {};
      while ((way.at(-1)?.column ?? -1) >= match.index) way.pop();
      const rootBus = domain === undefined ? undefined : `${domain}:${bus}`;
      if (rootBus !== undefined) {
        const below: DrawnFunction[] = [];
        roots.push({ rootBus, node: added.nodes[rootBus] ?? -1, functions: below });
        way.push({ column: match.index, bus: rootBus, below });
        continue;
      }
      const above = way.at(-1);
      if (above === undefined) throw new Error(`nothing is above "${match[0]}"`);
      const below: DrawnFunction[] = [];
      const address = `${above.bus}:${place}`;
      above.below.push({ address, ...(model === undefined ? {} : { model }), below });
      const behind = `${address.split(":")[0]}:${secondary}`;
      if (secondary !== undefined) way.push({ column: match.index, bus: behind, below });
    }
  }
  return {
    pci: functionsOfTree(roots, models, added),
    ...(added.iommu === undefined ? {} : { iommu: added.iommu }),
  };
}

/** "-[0000:d7]-" of a root bus; "00.0-[d8-df]" of a bridge; "00.0  Name" of a device. */
const token =
  /\[(?<domain>[0-9a-f]{4,8}):(?<bus>[0-9a-f]{2})\]|(?<place>[0-9a-f]{2}\.[0-7])(?:-\[(?<secondary>[0-9a-f]{2})(?:-[0-9a-f]{2})?\]| {2}(?<model>.*))/g;
