import type { Host, HostNode } from "../host/topology.ts";
import type { PlacedCell, Plan } from "../plan/types.ts";

/** A node of the real host, and what is left of it in the simulated one. */
export interface ScaledNode {
  /** The real host's number. */
  readonly host: number;
  /** The simulated host's number: nodes count from 0 there. */
  readonly simulated: number;
  /** CPUs in the simulated host; 0 for a node without CPUs. */
  readonly cpus: number;
}

/** The real host made small. */
export interface Scale {
  readonly nodes: readonly ScaledNode[];
  /** Threads of a core in the simulated host. */
  readonly threads: 1 | 2;
}

/** Every CPU of the simulated host is emulated by one thread of this machine, which has few. */
const mostCpus = 6;
const mostCpusOfOnlyNode = 4;

/** The nodes of the real host that the plan's cells and devices are on, with few CPUs each. */
export function scaleHost(host: Host, plan: Plan): Scale {
  const nodes = nodesThatMatter(host, plan);
  const withCpus = nodes.filter(({ cpus }) => cpus.length > 0);
  const share = withCpus.length === 1 ? mostCpusOfOnlyNode : Math.floor(mostCpus / withCpus.length);
  const siblings = withCpus.some((node) => hasSiblings(host, node));
  // Cores of two threads where the real host has them and each node gets one whole core.
  const threads = siblings && share >= 2 && withCpus.every(({ cpus }) => cpus.length >= 2) ? 2 : 1;
  const whole = Math.max(1, share - (share % threads));
  const fewest = Math.min(...withCpus.map(({ cpus }) => cpus.length - (cpus.length % threads)));
  const cpus = Math.min(whole, fewest, withCpus.length === 1 ? mostCpusOfOnlyNode : 2);
  return {
    nodes: nodes.map((node, simulated) => ({
      host: node.id,
      simulated,
      cpus: node.cpus.length === 0 ? 0 : cpus,
    })),
    threads,
  };
}

function nodesThatMatter(host: Host, plan: Plan): HostNode[] {
  const passed = new Set(plan.run.passthrough.map(({ address }) => address));
  const wanted = new Set([
    ...plan.placement.cells.flatMap(({ hostNodes }) => hostNodes ?? []),
    ...(host.pci ?? []).filter(({ address }) => passed.has(address)).map(({ node }) => node),
  ]);
  const chosen = host.nodes.filter(({ id }) => wanted.has(id));
  if (chosen.some(({ cpus }) => cpus.length > 0)) return chosen;
  // Something has to compute: the first node that can.
  const first = host.nodes.find(({ cpus }) => cpus.length > 0);
  return host.nodes.filter((node) => node === first || chosen.includes(node));
}

function hasSiblings({ cpus }: Host, node: HostNode): boolean {
  const own = new Set(node.cpus);
  return cpus.some(({ id, siblings }) => own.has(id) && siblings.length > 1);
}

/** The simulated host's number of a node of the real host. */
export function simulatedNode({ nodes }: Scale, hostNode: number): number | undefined {
  return nodes.find(({ host }) => host === hostNode)?.simulated;
}

/** The nodes that a cell is bound to, in the simulated host; all of them for a cell that is bound to none. */
export function nodesOfCell(scale: Scale, { hostNodes }: PlacedCell): readonly ScaledNode[] {
  return hostNodes === undefined ? scale.nodes : scale.nodes.filter(({ host }) => hostNodes.includes(host));
}

const MiB = 2 ** 20;

/** The first cell with memory holds the guest's kernel and its programs. */
const firstCellBytes = 256 * MiB;
const otherCellBytes = 128 * MiB;

/** What a cell gets instead of its memory. */
export function innerMemoryBytes(cells: readonly PlacedCell[], cell: PlacedCell): number {
  if (cell.memoryBytes === 0) return 0;
  return cell === cells.find(({ memoryBytes }) => memoryBytes > 0) ? firstCellBytes : otherCellBytes;
}

/**
 * How many vCPUs each cell gets: its share of the CPUs of its nodes, one at least and never more than it had.
 * @returns by cell, in their order
 */
export function innerVcpus(scale: Scale, cells: readonly PlacedCell[]): number[] {
  const sharers = (node: ScaledNode) =>
    cells
      .filter((cell) => nodesOfCell(scale, cell).includes(node))
      .reduce((sum, cell) => sum + cell.vcpus.length, 0);
  return cells.map((cell) => {
    const count = cell.vcpus.length;
    if (count === 0) return 0;
    const share = nodesOfCell(scale, cell).reduce(
      (sum, node) => sum + (node.cpus * count) / sharers(node),
      0,
    );
    return Math.min(count, Math.max(1, Math.floor(share)));
  });
}
