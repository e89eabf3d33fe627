import { formatIdSet, type IdSet } from "../units/index.ts";

/** The CPUs of one host node, by id. */
export interface CpuGroup {
  readonly id: number;
  readonly cpus: IdSet;
}

/**
 * A "y" for each host CPU that is allowed and a "-" for each other, as `virsh vcpuinfo` draws it; the CPUs of a node
 * stand together, in the order of their ids, with a space before the next node's: "yyyy---- --------".
 */
export function affinityMap(allowed: IdSet, groups: readonly CpuGroup[]): string {
  const set = new Set(allowed);
  return withCpus(groups)
    .map(({ cpus }) => cpus.map((cpu) => (set.has(cpu) ? "y" : "-")).join(""))
    .join(" ");
}

/** Which CPUs the columns of the map are: "node 0: 0-14,60-74", one line a node. */
export function affinityLegend(groups: readonly CpuGroup[]): string[] {
  return withCpus(groups).map(({ id, cpus }) => `node ${id}: ${formatIdSet(cpus)}`);
}

function withCpus(groups: readonly CpuGroup[]): readonly CpuGroup[] {
  return groups.filter(({ cpus }) => cpus.length > 0);
}
