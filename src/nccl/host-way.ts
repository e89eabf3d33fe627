import type { PciFunction } from "../host/topology.ts";
import { type Link, linkBetween } from "./link.ts";
import type { SwitchOnWay, Way } from "./way.ts";

/** The way of a function of the host. @param byAddress every function of the host */
export function hostWay(fn: PciFunction, byAddress: ReadonlyMap<string, PciFunction>): Way {
  const switches: SwitchOnWay[] = [];
  const parentOf = ({ parent = "" }: PciFunction) => byAddress.get(parent);
  for (let above = parentOf(fn); above; above = parentOf(above)) {
    if (above.kind !== "upstream-port" && above.kind !== "bridge") continue;
    switches.push({ id: above.address, link: linkUp(above, parentOf(above)) });
  }
  return {
    hostBridge: fn.rootBus,
    node: fn.node < 0 ? undefined : fn.node,
    slot: fn.address.slice(0, fn.address.lastIndexOf(".")),
    switches,
    link: linkUp(fn, parentOf(fn)),
  };
}

const linkUp = (fn: PciFunction, above: PciFunction | undefined) =>
  linkBetween(mostOf(fn), above && mostOf(above));

/** What it can do at most: an idle link runs slower. */
export function mostOf({ link }: PciFunction): Link | undefined {
  return link && { speed: link.maxSpeed === 0 ? undefined : link.maxSpeed, width: link.maxWidth };
}
