import { comparePciAddresses } from "../units/index.ts";
import type { Host, PciFunction } from "./topology.ts";

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly found: string;
  readonly needed: string;
}

/** What no host's PCI functions can be, in the order of the snapshot. */
export function pciContradictions({ pci, iommu }: Pick<Host, "pci" | "iommu">): Contradiction[] {
  const found: Contradiction[] = [];
  const byName = new Map(pci?.map((each) => [each.address, each]));
  if ((pci === undefined) !== (iommu === undefined)) {
    const key = pci === undefined ? "pci" : "iommu";
    found.push({ path: [key], found: `no "${key}"`, needed: 'both "pci" and "iommu", or neither' });
  }
  for (const [index, each] of (pci ?? []).entries()) {
    const before = pci?.[index - 1]?.address;
    if (before !== undefined && comparePciAddresses(before, each.address) >= 0) {
      found.push({
        path: ["pci", index, "address"],
        found: `${each.address} after ${before}`,
        needed: "each address once, in rising order",
      });
    }
    const parent = parentProblem(each, byName);
    if (parent !== undefined) found.push({ path: ["pci", index, "parent"], ...parent });
    const { physicalFunction } = each;
    if (physicalFunction !== undefined && !byName.has(physicalFunction)) {
      found.push({
        path: ["pci", index, "physicalFunction"],
        found: `${physicalFunction} is not there`,
        needed: "the address of another function",
      });
    }
  }
  return found;
}

function parentProblem(
  each: PciFunction,
  byName: ReadonlyMap<string, PciFunction>,
): Omit<Contradiction, "path"> | undefined {
  const { address, rootBus, parent } = each;
  if (parent === undefined) return undefined;
  const needed = "a bridge or port above it on the same root bus";
  const above = byName.get(parent);
  if (above === undefined) return { found: `${parent} is not there`, needed };
  if (above.kind === "endpoint") return { found: `${parent} is an endpoint`, needed };
  if (above.rootBus !== rootBus) {
    return { found: `${parent} is on root bus ${above.rootBus}, ${address} on ${rootBus}`, needed };
  }
  const seen = new Set([address]);
  for (let next: string | undefined = parent; next !== undefined; next = byName.get(next)?.parent) {
    if (next === address) return { found: `${address} is above itself`, needed };
    if (seen.has(next)) break;
    seen.add(next);
  }
  return undefined;
}
