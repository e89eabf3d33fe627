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

/**
 * Nodes for a guest that needs several, each with room for a cell: those of the devices, then those that lie nearest
 * together, then those with the least left.
 *
 * @param need of each
 * @returns in the host's order; undefined when not so many have room
 */
export function chooseTogether(
  rooms: readonly NodeRoom[],
  count: number,
  need: Need,
  distance: Distance,
): NodeRoom[] | undefined {
  const fitting = rooms.filter((room) => fits(room, need)).sort(tighter);
  if (fitting.length < count) return undefined;
  const groups = fitting.map((start) => gather(fitting, start, count, distance));
  const [best] = groups.sort(
    (a, b) =>
      sumOf(b, (room) => room.devices) - sumOf(a, (room) => room.devices) ||
      spread(a, distance) - spread(b, distance),
  );
  return rooms.filter((room) => best?.includes(room));
}

/**
 * Nodes that together have room where no equal parts fit: the roomiest first, as few as will do.
 * @param coresOf how many of the guest's cores have room on a node, memory included
 * @returns how many each gets, in the host's order
 */
export function fillNodes(
  rooms: readonly NodeRoom[],
  cores: number,
  coresOf: (room: NodeRoom) => number,
): { room: NodeRoom; cores: number }[] | undefined {
  const filled = new Map<NodeRoom, number>();
  let left = cores;
  const roomiest = [...rooms].sort(
    (a, b) => b.devices - a.devices || coresOf(b) - coresOf(a) || a.node.id - b.node.id,
  );
  for (const room of roomiest) {
    const count = Math.min(left, coresOf(room));
    if (count > 0) filled.set(room, count);
    left -= count;
  }
  if (left > 0) return undefined;
  return rooms.flatMap((room) => {
    const count = filled.get(room);
    return count === undefined ? [] : [{ room, cores: count }];
  });
}

/** The nearest to what is there, one by one. */
function gather(rooms: readonly NodeRoom[], start: NodeRoom, count: number, distance: Distance): NodeRoom[] {
  const chosen = [start];
  while (chosen.length < count) {
    const far = (room: NodeRoom) => sumOf(chosen, ({ node }) => distance(node, room.node));
    const [next] = rooms
      .filter((room) => !chosen.includes(room))
      .sort((a, b) => b.devices - a.devices || far(a) - far(b));
    if (!next) break;
    chosen.push(next);
  }
  return chosen;
}

function spread(rooms: readonly NodeRoom[], distance: Distance): number {
  return sumOf(rooms, (a) => sumOf(rooms, (b) => (a === b ? 0 : distance(a.node, b.node))));
}

function sumOf(rooms: readonly NodeRoom[], value: (room: NodeRoom) => number): number {
  return rooms.reduce((sum, room) => sum + value(room), 0);
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
