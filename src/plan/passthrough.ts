import type { AnnotatedDevice, PassthroughEntry } from "../profile/index.ts";
import type { DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import { withAnnotated } from "./passthrough-annotated.ts";
import { checkCombinations, decideBackend, planBackend } from "./passthrough-combinations.ts";
import { withCompanions } from "./passthrough-groups.ts";
import { checkFunctions, checkIommu } from "./passthrough-host.ts";
import { planPinnedMemory } from "./passthrough-memory.ts";
import { FunctionPlacer } from "./passthrough-place.ts";
import { type ChosenFunction, type EntryAt, selectFunctions } from "./passthrough-select.ts";
import { sortIntoSlots } from "./passthrough-slots.ts";
import { type BoundCell, cellOf } from "./passthrough-tree.ts";
import type { PcieTree } from "./pcie.ts";
import type { MirroredPlace } from "./pcie-mirror.ts";
import type { PassedFunction } from "./types.ts";

/** The functions that the profile's entries come to, with what comes along for the sake of IOMMU groups. */
export function choosePassthrough(draft: Draft): readonly ChosenFunction[] {
  const { devices } = draft.profile.passthrough;
  return choose(
    draft,
    devices.map((entry, index) => ({ entry, path: ["passthrough", "devices", index] })),
    draft.annotated,
  );
}

/**
 * The devices of the host that the guest gets, each in its place.
 * @returns what is bound before QEMU starts, and the bytes that QEMU may have to lock
 */
export function planPassthrough(
  draft: Draft,
  tree: PcieTree,
  chosen: readonly ChosenFunction[],
  placeOf: ReadonlyMap<string, MirroredPlace>,
  cells: readonly BoundCell[],
): { passthrough: PassedFunction[]; lockedBytes: number } {
  const iommufd = planBackend(draft, chosen.length);
  const { slots, behindBridge } = sortIntoSlots(draft, chosen);
  const isFlat = draft.profile.pcie.topology === "flat";
  if (!isFlat) warnOfUnboundNodes(draft, chosen, cells);
  const placer = new FunctionPlacer(draft, tree, chosen, iommufd);
  placer.placeSlots(slots, placeOf, isFlat ? () => undefined : cellOf(cells));
  placer.placeBehindBridge(tree, behindBridge);
  return { passthrough: placer.passed(), lockedBytes: planPinnedMemory(draft, chosen) };
}

/**
 * One entry for a VM that runs, by the same rules: the draft has the host as it is now and what other VMs hold.
 * Companions sit beside their device, since a bridge to conventional PCI cannot come later.
 *
 * @param iommufd the VM's object for it; undefined when it has none
 * @returns what is bound before the devices are added
 */
export function planPassedDevice(
  draft: Draft,
  site: DeviceSite,
  entry: PassthroughEntry,
  cells: readonly BoundCell[],
  iommufd?: string,
): PassedFunction[] {
  const chosen = choose(draft, [
    { entry: { ...entry, attach: "pcie" }, path: ["passthrough", "devices", 0] },
  ]);
  decideBackend(draft, iommufd !== undefined);
  const placer = new FunctionPlacer(draft, site, chosen, iommufd);
  placer.placeSlots(sortIntoSlots(draft, chosen).slots, new Map(), cellOf(cells));
  return placer.passed();
}

function choose(
  draft: Draft,
  entries: readonly EntryAt[],
  annotated: readonly AnnotatedDevice[] = [],
): readonly ChosenFunction[] {
  if (entries.length + annotated.length === 0) return [];
  checkIommu(draft);
  const named = withAnnotated(draft, selectFunctions(draft, entries), annotated);
  const chosen = draft.host.iommu?.enabled === true ? withCompanions(draft, named) : named;
  checkFunctions(draft, chosen);
  checkCombinations(draft, chosen);
  return chosen;
}

function warnOfUnboundNodes(
  draft: Draft,
  chosen: readonly ChosenFunction[],
  cells: readonly BoundCell[],
): void {
  if (cells.length < 2) return;
  const cellOfNode = cellOf(cells);
  const told = new Set<number>();
  for (const { fn, path } of chosen) {
    if (fn.node < 0 || told.has(fn.node) || cellOfNode(fn.node) !== undefined) continue;
    told.add(fn.node);
    draft.warn("PCIE_PLACEMENT", path, {
      found: `${fn.address} on host node ${fn.node}, to which no cell is bound`,
      needed: "a cell that is bound to the node: the guest does not see otherwise where the device is",
      fix: `write "hostNodes": "${fn.node}" in a cell, or name a bus on one`,
    });
  }
}
