import type { PciFunction } from "../host/topology.ts";
import type { IdSet } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import { cliqueWish } from "./passthrough-clique.ts";
import type { ChosenFunction } from "./passthrough-select.ts";
import { type PassedSlot, sortIntoSlots } from "./passthrough-slots.ts";
import { type MirroredPlace, mirrorTree } from "./pcie-mirror.ts";
import { type SharingSlot, shareSwitches } from "./pcie-shared-switch.ts";
import { hasSwitchLinks, switchDrivers } from "./pcie-switch.ts";
import type { MadeTree } from "./pcie-tree.ts";
import { profileDeviceIds } from "./profile-ids.ts";

/** A cell of the guest, as far as devices care. */
export interface BoundCell {
  readonly id: number;
  readonly hostNodes: IdSet | undefined;
}

/** Expander buses, ports and switches for the host's devices, and who goes where by address. */
export interface PassthroughTree extends MadeTree {
  readonly placeOf: ReadonlyMap<string, MirroredPlace>;
}

/**
 * The part of the guest's tree that is made for the host's devices, where the profile asks for one: the host's own, or
 * switches that they share. Devices that name a bus are not in it.
 */
export function planPassthroughTree(
  draft: Draft,
  chosen: readonly ChosenFunction[],
  cells: readonly BoundCell[],
): PassthroughTree {
  const { mirror, topology } = draft.profile.pcie;
  if (mirror !== false && topology !== undefined) {
    draft.refuse("PCIE_PLACEMENT", ["pcie", "topology"], {
      found: `"${topology}" beside pcie.mirror`,
      needed: "one of the two: the mirrored tree is the host's",
      fix: "leave one of them out",
    });
  }
  const slots = sortIntoSlots(draft, chosen).slots.filter(({ bus }) => bus === undefined);
  if (slots.length > 0 && mirror !== false) {
    return planMirror(draft, slots, cells, mirror === true ? "root-complex" : mirror.expanders);
  }
  if (slots.length > 0 && topology === "switch") return planSwitches(draft, slots, cells);
  return { nodes: [], placeOf: new Map(), path: ["pcie"], because: [] };
}

/** The cell that is bound to a host node, one that is bound to it alone first. */
export function cellOf(cells: readonly BoundCell[]): (node: number) => number | undefined {
  const withNode = (node: number) => cells.filter(({ hostNodes }) => hostNodes?.includes(node));
  return (node) => {
    const fitting = withNode(node);
    return (fitting.find(({ hostNodes }) => hostNodes?.length === 1) ?? fitting[0])?.id;
  };
}

function planMirror(
  draft: Draft,
  slots: readonly PassedSlot[],
  cells: readonly BoundCell[],
  expanders: "root-complex" | "node",
): PassthroughTree {
  const { pci = [], qemu } = draft.host;
  const addresses = slots.flatMap(({ functions }) => functions.map(({ fn }) => fn.address));
  const fastestLink = (qemu?.version.major ?? 0) >= 9 ? 64 : 16;
  const switchLinks = hasSwitchLinks(switchDrivers(qemu));
  const { tree, placeOf } = mirrorTree(pci, addresses, cellOf(cells), {
    expanders,
    fastestLink,
    switchLinks,
    taken: profileDeviceIds(draft.profile),
  });
  const because = draft.decide("pcie", "pcie.mirror", {
    value: `${tree.length} expander buses with ${tree.flatMap(({ ports }) => ports).length} root ports for ${addresses.length} functions`,
    rule: `An expander bus for each ${expanders === "node" ? "NUMA node" : "root complex"} of the host that has one of the devices, a root port for each root port, a switch where the host has one, a downstream port for each device in the host's order. Nothing else of the host is copied.`,
    facts: [
      `root ports have the link speed of the host's, up to ${fastestLink} GT/s`,
      switchLinks
        ? "ports of switches have that of the host's"
        : "ports of switches say 2.5 GT/s: this QEMU knows no others",
      ...[...placeOf].map(([address, { bus }]) => `${address} on ${bus}`),
    ],
    source: "pcie",
  });
  return { nodes: tree, placeOf, path: ["pcie", "mirror"], because: [because] };
}

function planSwitches(
  draft: Draft,
  slots: readonly PassedSlot[],
  cells: readonly BoundCell[],
): PassthroughTree {
  const byAddress = new Map((draft.host.pci ?? []).map((fn) => [fn.address, fn]));
  const cellOfNode = cellOf(cells);
  const sharing = slots.flatMap(({ functions: [first] }): SharingSlot[] => {
    if (!first) return [];
    const { address, node } = first.fn;
    return [{ address, group: groupOf(draft, first, byAddress), cell: cellOfNode(node) }];
  });
  const { tree, placeOf } = shareSwitches(sharing, profileDeviceIds(draft.profile));
  const ports = tree.flatMap((node) => ("expander" in node ? node.ports : node));
  const because = draft.decide("pcie", "pcie.topology", {
    value: `${ports.length} ${ports.length === 1 ? "switch" : "switches"} for ${sharing.length} devices`,
    rule: "Devices share a switch with those of their clique; without a number, with those behind the same switch of the host; else with those of their root complex. A switch has up to 32 ports and hangs on the cell of its devices.",
    facts: sharing.map(({ address, group }) => `${address}: ${group}, on ${placeOf.get(address)?.bus}`),
    source: "pcie",
  });
  return { nodes: tree, placeOf, path: ["pcie", "topology"], because: [because] };
}

/** Whom a device shares a switch with. */
function groupOf(draft: Draft, one: ChosenFunction, byAddress: ReadonlyMap<string, PciFunction>): string {
  const wish = cliqueWish(draft, one);
  if (typeof wish === "number") return `clique ${wish}`;
  let highest: string | undefined;
  for (let at = byAddress.get(one.fn.parent ?? ""); at; at = byAddress.get(at.parent ?? "")) {
    if (at.kind === "upstream-port") highest = at.address;
  }
  return highest === undefined ? `root complex ${one.fn.rootBus}` : `host switch ${highest}`;
}
