import type { HostNode } from "../host/topology.ts";
import type { NumaCell } from "../profile/index.ts";
import { describeByteSize, formatIdSet, idDifference } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import { onlineCpus } from "./host-cpus.ts";
import { distancesOf, layOut, type Partition, stepOf } from "./partition-layout.ts";
import type { Distance } from "./partition-nodes.ts";
import type { ChosenFunction } from "./passthrough-select.ts";

/** Two cells of one node: Linux takes a 10 between different nodes for a broken table. */
const nearestOther = 11;

/**
 * Cells from the host's nodes, where the profile asks for a partition: vCPUs and memory dealt to them, bound to their
 * nodes, at the nodes' distances. What comes out is planned as if the profile had written it.
 */
export function planPartition(draft: Draft, devices: readonly ChosenFunction[]): void {
  const { numa } = draft.profile;
  if (!numa) return;
  const { partition, cells } = numa;
  if (partition && cells) {
    draft.refuse("NUMA_PARTITION", ["numa", "partition"], {
      found: "a partition beside cells",
      needed: "one of the two",
      fix: "leave one of them out",
    });
  }
  if (!partition && !cells) {
    draft.refuse("NUMA_PARTITION", ["numa"], {
      found: "neither cells nor a partition",
      needed: "one of the two",
      fix: 'write "partition": {}, or leave numa out',
    });
  }
  if (!partition || cells) return;
  const nodes = candidates(draft, partition);
  if (nodes.length === 0) return;
  const layout = layOut(draft, partition, nodes, devices);
  if (!layout) return;
  const { dealt, bytes, homes } = layout;
  const count = homes.length;
  const distance = distancesOf(draft);
  draft.made = {
    topology: dealt.topology,
    cells: dealt.cells.map((cpus, id): NumaCell => {
      const home = homes[id];
      return {
        cpus,
        memory: bytes[id] ?? 0,
        ...(home ? { hostNodes: [home.id] } : {}),
        ...(count > 1
          ? { distances: homes.map((other, index) => between(distance, home, other, id, index)) }
          : {}),
      };
    }),
  };
  draft.decide("numa", "numa.partition", {
    value: dealt.cells
      .map((cpus, id) => `cell ${id} on host node ${homes[id]?.id}: ${formatIdSet(cpus)}`)
      .join("; "),
    rule: rules[partition.distribution],
    facts: [
      `memory in proportion to vCPUs, in steps of ${describeByteSize(stepOf(draft))}; what is left over is cell 0's`,
      partition.mode === "node"
        ? "as few nodes as it fits on: those of the guest's devices, then those that have the least left, near each other"
        : count < nodes.length
          ? "the nodes of the guest's devices first, then the nearest with room"
          : "every node of the choice",
    ],
    source: "slit",
  });
}

const rules = {
  contiguous:
    "Each cell has consecutive vCPUs, whole cores; the first cells have one core more where they do not come out even.",
  siblings: "Each cell has consecutive vCPUs, with as many threads a core as the host; whole cores.",
  "round-robin":
    "vCPU by vCPU to the next cell; each is a socket of its own, since no cache may be shared between cells.",
  interleave: "Core by core to the next cell, its threads together; each core is a socket of its own.",
} as const;

/** Nodes with CPUs and memory, or those of them that the profile names. */
function candidates(draft: Draft, { hostNodes }: Partition): readonly HostNode[] {
  const cpus = new Set(onlineCpus(draft.host));
  const usable = draft.host.nodes.filter(
    (node) =>
      node.memoryBytes > 0 &&
      node.cpus.some((id) => cpus.has(id)) &&
      draft.host.share?.nodes.includes(node.id) !== false,
  );
  if (hostNodes === undefined) return usable;
  const wrong = idDifference(
    hostNodes,
    usable.map(({ id }) => id),
  );
  if (wrong.length > 0 || hostNodes.length === 0) {
    draft.refuse("HOST_NODE_ABSENT", ["numa", "partition", "hostNodes"], {
      found:
        wrong.length > 0
          ? `host node ${formatIdSet(wrong)}, which is not there or has no CPUs or no memory`
          : "no host node",
      needed: `nodes of this host with both: ${formatIdSet(usable.map(({ id }) => id))}`,
      fix: "name nodes that the host has (`qlaunch host show`)",
    });
  }
  return usable.filter(({ id }) => hostNodes.includes(id));
}

function between(
  distance: Distance,
  from: HostNode | undefined,
  to: HostNode,
  cell: number,
  other: number,
): number {
  if (cell === other || !from) return 10;
  return Math.max(nearestOther, distance(from, to));
}
