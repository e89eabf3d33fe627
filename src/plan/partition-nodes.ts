import type { HostNode } from "../host/topology.ts";

/** What a node of the host has left. */
export interface NodeRoom {
  readonly node: HostNode;
  /** CPUs that nobody else has, counted as pinning would give them. */
  readonly cpus: number;
  readonly bytes: number;
  /** Devices of the guest on it. */
  readonly devices: number;
}

export interface Need {
  readonly cpus: number;
  readonly bytes: number;
}

/**
 * The node for a guest that stays on one: with the most of its devices, then the one that is left with the least, so
 * that large guests find room later.
 *
 * @returns undefined when it fits on none
 */
export function chooseNode(rooms: readonly NodeRoom[], need: Need): NodeRoom | undefined {
  const [best] = rooms.filter((room) => fits(room, need)).sort(tighter);
  return best;
}

/** As the firmware tells it, 10 for a node itself. */
export type Distance = (from: HostNode, to: HostNode) => number;

/**
 * Nodes for cells that are fewer: those of the devices first, then those near the chosen ones that have room for a
 * cell; where none has, the emptiest.
 *
 * @param need of one cell
 * @returns in the host's order
 */
export function chooseNodes(
  rooms: readonly NodeRoom[],
  count: number,
  need: Need,
  distance: Distance,
): NodeRoom[] {
  const chosen: NodeRoom[] = [];
  const left = [...rooms];
  while (chosen.length < count && left.length > 0) {
    const far = (room: NodeRoom) => chosen.reduce((sum, { node }) => sum + distance(node, room.node), 0);
    left.sort(
      (a, b) =>
        b.devices - a.devices ||
        Number(fits(b, need)) - Number(fits(a, need)) ||
        far(a) - far(b) ||
        b.cpus - a.cpus ||
        a.node.id - b.node.id,
    );
    chosen.push(...left.splice(0, 1));
  }
  return rooms.filter((room) => chosen.includes(room));
}

function fits(room: NodeRoom, need: Need): boolean {
  return room.cpus >= need.cpus && room.bytes >= need.bytes;
}

function tighter(a: NodeRoom, b: NodeRoom): number {
  return b.devices - a.devices || a.cpus - b.cpus || a.bytes - b.bytes || a.node.id - b.node.id;
}
