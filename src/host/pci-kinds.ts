import type { PciFunction } from "./topology.ts";

/** From the device or port type of the PCI Express capability. */
export function kindOfPort(portType: number): PciFunction["kind"] {
  if (portType === 4) return "root-port";
  if (portType === 5) return "upstream-port";
  if (portType === 6) return "downstream-port";
  return portType === 7 || portType === 8 ? "bridge" : "endpoint";
}

interface Placed extends Pick<PciFunction, "address" | "parent" | "class"> {
  readonly isExpress: boolean;
}

/**
 * Of bridges, for where config space cannot be read. Below a root or downstream port, only a switch has bridges of PCI
 * Express below itself.
 */
export function kindsByPlace(functions: readonly Placed[]): ReadonlyMap<string, PciFunction["kind"]> {
  const bridges = functions.filter((each) => /^060[479]/.test(each.class));
  const aboveExpress = new Set(bridges.filter(({ isExpress }) => isExpress).map(({ parent }) => parent));
  const kinds = new Map<string, PciFunction["kind"]>();
  // A function's parent may have a later address, so each looks up for itself.
  const byName = new Map(bridges.map((bridge) => [bridge.address, bridge]));
  const kindOf = ({ address, parent, isExpress }: Placed): PciFunction["kind"] => {
    if (!isExpress) return "bridge";
    if (parent === undefined) return "root-port";
    const above = byName.get(parent);
    if (above !== undefined && kindOf(above) === "upstream-port") return "downstream-port";
    return aboveExpress.has(address) ? "upstream-port" : "bridge";
  };
  for (const bridge of bridges) kinds.set(bridge.address, kindOf(bridge));
  return kinds;
}
