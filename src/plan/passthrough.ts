import type { AnnotatedDevice, PassthroughEntry } from "../profile/index.ts";
import type { IdSet } from "../units/index.ts";
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
import type { PcieTree } from "./pcie.ts";
import { type MirroredTree, mirrorTree } from "./pcie-mirror.ts";
import { hasSwitchLinks, switchDrivers } from "./pcie-switch.ts";
import { profileDeviceIds } from "./profile-ids.ts";
import { sources } from "./sources.ts";
import type { PassedFunction } from "./types.ts";

/** A cell of the guest, as far as devices care. */
interface BoundCell {
  readonly id: number;
  readonly hostNodes: IdSet | undefined;
}

/** The functions that the profile's entries come to, with what comes along for the sake of IOMMU groups. */
export function choosePassthrough(draft: Draft): readonly ChosenFunction[] {
  const { devices } = draft.profile.passthrough;
  return choose(
    draft,
    devices.map((entry, index) => ({ entry, path: ["passthrough", "devices", index] })),
    draft.annotated,
  );
}

/** The part of the host's tree that the devices hang on; empty unless the profile asks for it. */
export function planMirror(
  draft: Draft,
  chosen: readonly ChosenFunction[],
  cells: readonly BoundCell[],
): MirroredTree {
  const { mirror } = draft.profile.pcie;
  const { pci = [], qemu } = draft.host;
  const addresses = sortIntoSlots(draft, chosen)
    .slots.filter(({ bus }) => bus === undefined)
    .flatMap(({ functions }) => functions.map(({ fn }) => fn.address));
  if (mirror === false || addresses.length === 0) return { tree: [], placeOf: new Map() };
  const expanders = mirror === true ? "root-complex" : mirror.expanders;
  const fastestLink = (qemu?.version.major ?? 0) >= 9 ? 64 : 16;
  const switchLinks = hasSwitchLinks(switchDrivers(qemu));
  const mirrored = mirrorTree(pci, addresses, cellOf(cells), {
    expanders,
    fastestLink,
    switchLinks,
    taken: profileDeviceIds(draft.profile),
  });
  draft.decide("pcie", "pcie.mirror", {
    value: `${mirrored.tree.length} expander buses with ${mirrored.tree.flatMap(({ ports }) => ports).length} root ports for ${addresses.length} functions`,
    rule: `An expander bus for each ${expanders === "node" ? "NUMA node" : "root complex"} of the host that has one of the devices, a root port for each root port, a switch where the host has one, a downstream port for each device in the host's order. Nothing else of the host is copied.`,
    facts: [
      `root ports have the link speed of the host's, up to ${fastestLink} GT/s`,
      switchLinks
        ? "ports of switches have that of the host's"
        : "ports of switches say 2.5 GT/s: this QEMU knows no others",
      ...[...mirrored.placeOf].map(([address, { bus }]) => `${address} on ${bus}`),
    ],
    source: sources.pcie,
  });
  return mirrored;
}

/**
 * The devices of the host that the guest gets, each in its place.
 * @returns what is bound before QEMU starts, and the bytes that QEMU may have to lock
 */
export function planPassthrough(
  draft: Draft,
  tree: PcieTree,
  chosen: readonly ChosenFunction[],
  { placeOf }: Pick<MirroredTree, "placeOf">,
  cells: readonly BoundCell[],
): { passthrough: PassedFunction[]; lockedBytes: number } {
  const iommufd = planBackend(draft, chosen.length);
  const { slots, behindBridge } = sortIntoSlots(draft, chosen);
  warnOfUnboundNodes(draft, chosen, cells);
  const placer = new FunctionPlacer(draft, tree, chosen, iommufd);
  placer.placeSlots(slots, placeOf, cellOf(cells));
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

/** The cell that is bound to a host node, one that is bound to it alone first. */
function cellOf(cells: readonly BoundCell[]): (node: number) => number | undefined {
  const withNode = (node: number) => cells.filter(({ hostNodes }) => hostNodes?.includes(node));
  return (node) => {
    const fitting = withNode(node);
    return (fitting.find(({ hostNodes }) => hostNodes?.length === 1) ?? fitting[0])?.id;
  };
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
