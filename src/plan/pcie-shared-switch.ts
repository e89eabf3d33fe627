import type { TreeExpander, TreeNode, TreeRootPort } from "../profile/index.ts";
import type { MirroredPlace } from "./pcie-mirror.ts";
import { idMaker } from "./profile-ids.ts";

/** What hangs on one downstream port. */
export interface SharingSlot {
  /** Address of its first function on the host. */
  readonly address: string;
  /** Slots of one group hang below one switch. */
  readonly group: string;
  /** The cell whose expander bus the switch hangs on; undefined for pcie.0. */
  readonly cell: number | undefined;
}

/** Slots of an upstream port's bus. */
const portsOfSwitch = 32;

/**
 * A switch for the devices of each group and cell, below a root port of its own: a tree that says who is near whom
 * without being the host's. A group of more than 32 has several.
 *
 * @param slots in the order in which they get ports
 * @param taken ids that something else has
 */
export function shareSwitches(
  slots: readonly SharingSlot[],
  taken: ReadonlySet<string>,
): { tree: readonly TreeNode[]; placeOf: ReadonlyMap<string, MirroredPlace> } {
  const nextId = idMaker(taken);
  const placeOf = new Map<string, MirroredPlace>();
  const rootPort = (members: readonly SharingSlot[]): TreeRootPort => ({
    rootPort: nextId("rp"),
    hotplug: false,
    switch: {
      upstream: nextId("sw"),
      downstream: members.map(({ address }) => {
        const port = nextId("dp");
        placeOf.set(address, { bus: port, function: 0 });
        return { port, hotplug: false };
      }),
    },
  });
  const onBoard: TreeNode[] = [];
  const expanders = new Map<number, TreeExpander>();
  for (const members of inSwitches(slots)) {
    const cell = members[0]?.cell;
    if (cell === undefined) {
      onBoard.push(rootPort(members));
      continue;
    }
    const expander = expanders.get(cell) ?? { expander: nextId("pxb"), numaNode: cell, ports: [] };
    expanders.set(cell, { ...expander, ports: [...expander.ports, rootPort(members)] });
  }
  return { tree: [...onBoard, ...expanders.values()], placeOf };
}

/** The members of each switch, in the order of their first. */
function inSwitches(slots: readonly SharingSlot[]): SharingSlot[][] {
  const switches: SharingSlot[][] = [];
  for (const slot of slots) {
    const open = switches.find(
      ([first, ...others]) =>
        first?.group === slot.group && first.cell === slot.cell && others.length + 1 < portsOfSwitch,
    );
    if (open) open.push(slot);
    else switches.push([slot]);
  }
  return switches;
}
