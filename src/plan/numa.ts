import { formatIdSet, type IdSet, idDifference, idIntersection } from "../units/index.ts";
import type { CpuPlan } from "./cpu.ts";
import { coresOf } from "./cpu.ts";
import type { Draft } from "./draft.ts";

/** A guest NUMA node before its memory is planned. */
export interface Cell {
  readonly id: number;
  readonly vcpus: IdSet;
  readonly memoryBytes: number;
  readonly hostNodes: IdSet | undefined;
  readonly policy: "bind" | "preferred" | "interleave" | undefined;
  readonly distances: readonly number[] | undefined;
}

/** The guest's cells: the profile's, or one with everything. */
export function planCells(draft: Draft, cpuPlan: CpuPlan): readonly Cell[] {
  const { memory } = draft.profile;
  const written = draft.cells;
  if (!written) {
    return [
      {
        id: 0,
        vcpus: cpuPlan.guestCpus.map((cpu) => cpu.id),
        memoryBytes: memory.size,
        hostNodes: undefined,
        policy: undefined,
        distances: undefined,
      },
    ];
  }
  const cells = written.map((cell, id) => ({
    id,
    vcpus: cell.cpus,
    memoryBytes: cell.memory,
    hostNodes: cell.hostNodes,
    policy: cell.policy ?? (cell.hostNodes ? ("bind" as const) : undefined),
    distances: cell.distances,
  }));
  checkVcpus(draft, cells, cpuPlan);
  checkCores(draft, cells, cpuPlan);
  checkDistances(draft, cells);
  for (const cell of cells) checkPolicy(draft, cell);
  return cells;
}

/** -numa node and -numa dist. The backends come from the memory concern. */
export function planNuma(draft: Draft, cells: readonly (Cell & { memdev: string | undefined })[]): void {
  if (!draft.cells) return;
  for (const cell of cells) {
    const because = draft.decide("numa", `numa.cell${cell.id}.cpus`, {
      value: cell.vcpus.length > 0 ? `vCPUs ${formatIdSet(cell.vcpus)}` : "no vCPUs",
      rule: "The cell has the vCPUs that the profile or its partition gives it; every vCPU up to the maximum is in exactly one cell, the threads of a core together.",
      source: "invocation",
    });
    draft.add({
      option: "numa-node",
      nodeId: cell.id,
      cpus: cell.vcpus,
      memdev: cell.memdev,
      because: [
        because,
        ...(draft.made ? ["numa.partition"] : []),
        ...(cell.memdev ? [`numa.cell${cell.id}.memory`] : []),
      ],
    });
  }
  if (!cells.every((cell) => cell.distances)) return;
  for (const cell of cells) {
    const because = draft.decide("numa", `numa.cell${cell.id}.distances`, {
      value: (cell.distances ?? []).join(" "),
      rule: "Distances reach the guest as they are in the profile, all of them: one missing pair makes QEMU refuse.",
      source: "slit",
    });
    for (const [destination, value] of (cell.distances ?? []).entries()) {
      draft.add({ option: "numa-dist", source: cell.id, destination, value, because: [because] });
    }
  }
}

function checkVcpus(draft: Draft, cells: readonly Cell[], { max }: CpuPlan): void {
  const owner = new Map<number, number>();
  for (const cell of cells) {
    const path = draft.cellPath(cell.id, "cpus");
    const beyond = cell.vcpus.filter((id) => id >= max);
    if (beyond.length > 0) {
      draft.refuse("NUMA_CPU_BEYOND_MAX", path, {
        found: `vCPU ${formatIdSet(beyond)} in cell ${cell.id}, and the guest has 0-${max - 1}`,
        needed: `vCPUs below ${max}`,
        fix: "take them out of the cell, or raise cpus.max",
      });
    }
    const twice = cell.vcpus.filter((id) => owner.has(id));
    if (twice.length > 0) {
      const others = [...new Set(twice.map((id) => owner.get(id)))].join(", ");
      draft.refuse("NUMA_CPU_TWICE", path, {
        found: `vCPU ${formatIdSet(twice)} in cell ${cell.id} and in cell ${others}`,
        needed: "every vCPU in one cell",
        fix: `take ${formatIdSet(twice)} out of one of them`,
      });
    }
    for (const id of cell.vcpus) if (!owner.has(id)) owner.set(id, cell.id);
  }
  const everyVcpu = Array.from({ length: max }, (_, id) => id);
  const missing = everyVcpu.filter((id) => !owner.has(id));
  if (missing.length > 0) {
    draft.refuse("NUMA_CPU_MISSING", ["numa", "cells"], {
      found: `vCPU ${formatIdSet(missing)} in no cell`,
      needed: `each of the vCPUs 0-${max - 1} in one cell`,
      fix: `add ${formatIdSet(missing)} to a cell's cpus`,
    });
  }
}

function checkCores(draft: Draft, cells: readonly Cell[], { guestCpus, topology }: CpuPlan): void {
  if (topology.threads === 1) return;
  for (const cell of cells) {
    const split = coresOf(cell.vcpus, guestCpus).filter((core) => core.length < topology.threads);
    if (split.length === 0) continue;
    draft.refuse("NUMA_CORE_SPLIT", draft.cellPath(cell.id, "cpus"), {
      found: `cell ${cell.id} has vCPU ${formatIdSet(split.flat())} without the other threads of their cores`,
      needed: `cores whole: ${topology.threads} consecutive vCPUs are one core`,
      fix: "move the siblings into the same cell, or set topology.threads to 1",
    });
  }
}

/** @see https://www.qemu.org/docs/master/system/invocation.html (-numa dist) */
function checkDistances(draft: Draft, cells: readonly Cell[]): void {
  const given = cells.filter((cell) => cell.distances);
  if (given.length === 0) return;
  for (const cell of cells) {
    const path = draft.cellPath(cell.id, "distances");
    const refuse = (found: string, needed: string, fix: string) =>
      draft.refuse("NUMA_DISTANCES", path, { found, needed, fix });
    if (!cell.distances) {
      refuse(
        `cell ${cell.id} has no distances, cell ${given[0]?.id} has`,
        "distances in every cell, or in none",
        `add ${cells.length} numbers to cell ${cell.id}`,
      );
      continue;
    }
    if (cell.distances.length !== cells.length) {
      refuse(
        `${cell.distances.length} distances in cell ${cell.id} of ${cells.length} cells`,
        `one number for each cell, ${cells.length} in all`,
        "write the distance to every cell in order, its own (10) among them",
      );
      continue;
    }
    if (cell.distances[cell.id] !== 10) {
      refuse(
        `cell ${cell.id} is at distance ${cell.distances[cell.id]} from itself`,
        "10, which means local",
        `write 10 at place ${cell.id}`,
      );
    }
    const near = cell.distances.findIndex((distance, other) => other !== cell.id && distance === 10);
    if (near !== -1) {
      refuse(
        `cell ${cell.id} is at distance 10 from cell ${near}`,
        "11 or more to another cell: Linux discards a table that calls another node local",
        "write the distance that the host shows, such as 20 or 21",
      );
    }
  }
}

function checkPolicy(draft: Draft, cell: Cell): void {
  if (cell.policy && !cell.hostNodes) {
    draft.refuse("NUMA_POLICY", draft.cellPath(cell.id, "policy"), {
      found: `policy ${cell.policy} without host nodes`,
      needed: "hostNodes, which the policy is about",
      fix: "add hostNodes, or leave policy out",
    });
  }
  if (!cell.hostNodes) return;
  const path = draft.cellPath(cell.id, "hostNodes");
  if (cell.hostNodes.length === 0) {
    draft.refuse("NUMA_POLICY", path, {
      found: "an empty set of host nodes",
      needed: "at least one node",
      fix: "name a node, or leave hostNodes out",
    });
  }
  if (cell.policy === "preferred" && cell.hostNodes.length > 1) {
    draft.warn("NUMA_POLICY", path, {
      found: `policy preferred with nodes ${formatIdSet(cell.hostNodes)}`,
      needed: "one node: QEMU 7.2 uses only the first",
      fix: 'name one node, or take "bind"',
    });
  }
  const online = draft.host.nodes.map((node) => node.id);
  const absent = idDifference(cell.hostNodes, online);
  if (absent.length > 0) {
    draft.refuse("HOST_NODE_ABSENT", path, {
      found: `host node ${formatIdSet(absent)} does not exist`,
      needed: `nodes of this host: ${formatIdSet(online)}`,
      fix: "name nodes that the host has (`qlaunch host show`)",
    });
  }
  const { share } = draft.host;
  const outside = idIntersection(share ? idDifference(cell.hostNodes, share.nodes) : [], online);
  if (outside.length > 0) {
    draft.refuse("HOST_NODE_ABSENT", path, {
      found: `host node ${formatIdSet(outside)} is outside the cpuset that this program runs in`,
      needed: `nodes of that cpuset: ${formatIdSet(share?.nodes ?? [])}`,
      fix: "name nodes of it, or start this from a cgroup that has them",
    });
  }
  const bare = draft.host.nodes.filter((node) => cell.hostNodes?.includes(node.id) && node.memoryBytes === 0);
  if (bare.length > 0 && cell.memoryBytes > 0) {
    draft.refuse("HOST_NODE_ABSENT", path, {
      found: `host node ${bare.map((node) => node.id).join(",")} has no memory`,
      needed: "nodes with memory, since the cell's memory is bound to them",
      fix: "name nodes with memory (`qlaunch host show`)",
    });
  }
}
