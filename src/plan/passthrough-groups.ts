import type { PciFunction } from "../host/topology.ts";
import type { Draft } from "./draft.ts";
import { pathOf } from "./passthrough-host.ts";
import { type ChosenFunction, isPassable } from "./passthrough-select.ts";

/** Drivers under which VFIO takes a group for its own; so is a function without any. */
const harmless = new Set(["vfio-pci", "pci-stub"]);

/**
 * VFIO gives out IOMMU groups as a whole: every function of one must be passed through, or have no driver that works
 * for the host. Bridges do not count.
 *
 * @returns the chosen functions and, with group whole, what comes along: functions that a driver has
 * @see https://docs.kernel.org/driver-api/vfio.html (groups)
 */
export function withCompanions(draft: Draft, chosen: readonly ChosenFunction[]): ChosenFunction[] {
  const groups = new Map<number, ChosenFunction[]>();
  for (const one of chosen) {
    const { iommuGroup } = one.fn;
    if (iommuGroup === undefined) refuseWithoutGroup(draft, one);
    else groups.set(iommuGroup, [...(groups.get(iommuGroup) ?? []), one]);
  }
  const others = othersByGroup(draft.host.pci ?? [], groups);
  const companions = [...groups].flatMap(([group, own]) => {
    const rest = others.get(group) ?? [];
    const busy = rest.filter(({ driver }) => driver !== undefined && !harmless.has(driver));
    const whole = draft.profile.passthrough.group === "whole";
    const inTheWay = whole ? busy.filter((fn) => !isPassable(fn)) : busy;
    if (inTheWay.length > 0) refuseGroup(draft, group, own, rest, inTheWay);
    if (!whole) return [];
    return rest
      .filter((fn) => isPassable(fn) && fn.driver !== undefined && fn.driver !== "pci-stub")
      .map((fn) => companion(fn, own));
  });
  return [...chosen, ...companions];
}

/** It belongs to a function of its own slot where one is chosen. */
function companion(fn: PciFunction, own: readonly ChosenFunction[]): ChosenFunction {
  const slot = fn.address.slice(0, -1);
  const main = own.find((one) => one.fn.address.startsWith(slot)) ?? (own[0] as ChosenFunction);
  return { fn, entry: main.entry, path: main.path, companionOf: main.fn.address };
}

function othersByGroup(
  pci: readonly PciFunction[],
  groups: ReadonlyMap<number, readonly ChosenFunction[]>,
): Map<number, PciFunction[]> {
  const others = new Map<number, PciFunction[]>();
  for (const fn of pci) {
    if (fn.iommuGroup === undefined || fn.kind !== "endpoint") continue;
    const own = groups.get(fn.iommuGroup);
    if (!own || own.some((one) => one.fn.address === fn.address)) continue;
    others.set(fn.iommuGroup, [...(others.get(fn.iommuGroup) ?? []), fn]);
  }
  return others;
}

function refuseGroup(
  draft: Draft,
  group: number,
  own: readonly ChosenFunction[],
  rest: readonly PciFunction[],
  inTheWay: readonly PciFunction[],
): void {
  const [first] = own;
  if (!first) return;
  const describe = ({ address, driver }: PciFunction) => `${address} (${driver ?? "no driver"})`;
  const canCome = inTheWay.every(isPassable);
  draft.refuse("HOST_IOMMU_GROUP", pathOf(first), {
    found: `IOMMU group ${group} of ${own.map((one) => one.fn.address).join(", ")} has ${rest.map(describe).join(", ")} as well`,
    needed: "a group that goes to the guest as a whole: its devices can reach each other's memory",
    fix: canCome
      ? 'add them to passthrough.devices, write "group": "whole", or move the card to another slot'
      : `move the card to another slot: ${inTheWay.filter((fn) => !isPassable(fn))[0]?.address} cannot leave the host`,
  });
}

function refuseWithoutGroup(draft: Draft, one: ChosenFunction): void {
  draft.refuse("HOST_IOMMU", pathOf(one), {
    found: `${one.fn.address}, which is in no IOMMU group`,
    needed: "a device behind the IOMMU",
    fix: "name another device: this host's IOMMU does not reach it",
  });
}
