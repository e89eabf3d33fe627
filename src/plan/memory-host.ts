import type { JsonPath } from "../errors/index.ts";
import type { HostNode } from "../host/topology.ts";
import { describeByteSize, formatIdSet, type IdSet, sumOf } from "../units/index.ts";
import type { Draft } from "./draft.ts";

/** Memory that the host shall give. */
export interface MemoryDemand {
  /** For messages: "cell 0", "memory device dimm0". */
  readonly what: string;
  readonly bytes: number;
  /** 0 for ordinary pages. */
  readonly pageSizeBytes: number;
  readonly hostNodes: IdSet | undefined;
  readonly policy: "bind" | "preferred" | "interleave" | undefined;
  readonly path: JsonPath;
  readonly pageSizePath: JsonPath;
}

/**
 * What counts as there. total: all of a node's memory, since a start may wait for what others give back; free pages
 * only for huge ones. now: what is free or reclaimable at this moment, for a VM that runs.
 */
export type Availability = "total" | "now";

/**
 * Whether the host has the memory, node by node: enough in all and too little on the bound node is what makes QEMU
 * die after minutes, or the guest later.
 */
export function checkHostMemory(
  draft: Draft,
  demands: readonly MemoryDemand[],
  availability: Availability = "total",
): void {
  const pageSizes = new Set(demands.map((demand) => demand.pageSizeBytes));
  for (const pageSizeBytes of pageSizes) {
    const alike = demands.filter((demand) => demand.pageSizeBytes === pageSizeBytes);
    if (pageSizeBytes > 0 && !draft.host.nodes.some((node) => pool(node, pageSizeBytes))) {
      refusePageSize(draft, pageSizeBytes, alike);
      continue;
    }
    const left = leftOn(draft.host.nodes, (node) =>
      availability === "total"
        ? unheldBytes(draft, node, pageSizeBytes)
        : availableBytes(node, pageSizeBytes, availability),
    );
    const leftNow = leftOn(draft.host.nodes, (node) => availableBytes(node, pageSizeBytes, "now"));
    // Those with the least choice first: what may come from anywhere does not take what another needs.
    const choice = (demand: MemoryDemand) => demand.hostNodes?.length ?? draft.host.nodes.length + 1;
    for (const demand of [...alike].sort((a, b) => choice(a) - choice(b))) {
      checkDemand(draft, demand, left, leftNow);
    }
  }
}

/**
 * What other VMs do not hold of a node, though they may not have touched all of theirs yet. Memory that is bound to
 * several nodes counts for none of them.
 */
export function unheldBytes({ ledger }: Draft, node: HostNode, pageSizeBytes: number): number {
  const held = ledger
    .flatMap(({ memory = [] }) => memory)
    .filter((each) => each.pageSizeBytes === pageSizeBytes && each.hostNodes?.length === 1)
    .reduce((sum, { bytes, hostNodes }) => sum + (hostNodes?.[0] === node.id ? bytes : 0), 0);
  if (pageSizeBytes === 0) return Math.max(0, node.memoryBytes - held);
  const { free = 0, total = 0 } = pool(node, pageSizeBytes) ?? {};
  return Math.max(0, Math.min(free * pageSizeBytes, total * pageSizeBytes - held));
}

function availableBytes(node: HostNode, pageSizeBytes: number, availability: Availability): number {
  if (pageSizeBytes > 0) return (pool(node, pageSizeBytes)?.free ?? 0) * pageSizeBytes;
  return availability === "total" ? node.memoryBytes : node.freeBytes + (node.reclaimableBytes ?? 0);
}

function leftOn(nodes: readonly HostNode[], bytesOf: (node: HostNode) => number): Map<number, number> {
  return new Map(nodes.map((node) => [node.id, bytesOf(node)]));
}

function checkDemand(
  draft: Draft,
  demand: MemoryDemand,
  left: Map<number, number>,
  leftNow: Map<number, number>,
): void {
  const { nodes, share } = draft.host;
  const bound = nodes.filter(({ id }) => (demand.hostNodes ?? share?.nodes)?.includes(id) ?? true);
  // Nodes that are not there or have no memory are refused where the cell names them.
  if (bound.every((node) => node.memoryBytes === 0)) return;
  const huge = demand.pageSizeBytes > 0;
  const available = sumOn(bound, left);
  if (available < demand.bytes) {
    const report = demand.policy === "preferred" && !huge ? draft.warn.bind(draft) : draft.refuse.bind(draft);
    if (huge) report("HOST_HUGEPAGES_SHORT", demand.path, shortOfPages(demand, bound, available));
    else report("HOST_MEMORY_SHORT", demand.path, shortOfMemory(demand, bound, available));
  } else if (!huge) {
    const free = sumOn(bound, leftNow);
    if (free < demand.bytes) {
      draft.warn("HOST_MEMORY_SHORT", demand.path, {
        found: `${nodesText(bound)} ${describeByteSize(free)} free or reclaimable left for ${demand.what}, which has ${describeByteSize(demand.bytes)}`,
        needed: `${describeByteSize(demand.bytes)}, or the start waits for what others give back`,
        fix: "stop what uses the node's memory, or expect a slow start",
      });
    }
  }
  take(left, bound, demand.bytes);
  take(leftNow, bound, demand.bytes);
}

function sumOn(nodes: readonly HostNode[], left: ReadonlyMap<number, number>): number {
  return sumOf(nodes, ({ id }) => left.get(id) ?? 0);
}

function refusePageSize(draft: Draft, pageSizeBytes: number, demands: readonly MemoryDemand[]): void {
  const sizes = [
    ...new Set(draft.host.nodes.flatMap((node) => node.hugepages.map((entry) => entry.pageSizeBytes))),
  ];
  draft.refuse("HOST_HUGEPAGE_SIZE", demands[0]?.pageSizePath ?? [], {
    found: `no ${describeByteSize(pageSizeBytes)} pages on this host`,
    needed:
      sizes.length > 0 ? `one of ${sizes.map(describeByteSize).join(", ")}` : "huge pages in the kernel",
    fix: "write a size that the host has, or leave pageSize out",
  });
}

function pool(node: HostNode, pageSizeBytes: number) {
  return node.hugepages.find((entry) => entry.pageSizeBytes === pageSizeBytes);
}

function take(left: Map<number, number>, nodes: readonly HostNode[], bytes: number): void {
  let rest = bytes;
  for (const node of nodes) {
    const share = Math.min(rest, left.get(node.id) ?? 0);
    left.set(node.id, (left.get(node.id) ?? 0) - share);
    rest -= share;
  }
}

function shortOfPages(demand: MemoryDemand, nodes: readonly HostNode[], available: number) {
  const { pageSizeBytes, what } = demand;
  const free = Math.floor(available / pageSizeBytes);
  const needed = Math.ceil(demand.bytes / pageSizeBytes);
  const target = nodes[0];
  const total = (target && pool(target, pageSizeBytes)?.total) ?? 0;
  const page = describeByteSize(pageSizeBytes);
  return {
    found: `${nodesText(nodes)} ${free} free ${page} pages left for ${what}, which needs ${needed}`,
    needed: `${needed} free pages on ${nodes.length === 1 ? "that node" : "those nodes"}`,
    fix: `reserve ${needed - free} more: write ${total + needed - free} (now ${total}) to /sys/devices/system/node/node${target?.id ?? 0}/hugepages/hugepages-${pageSizeBytes / 1024}kB/nr_hugepages`,
  };
}

function shortOfMemory(demand: MemoryDemand, nodes: readonly HostNode[], available: number) {
  return {
    found: `${nodesText(nodes)} ${describeByteSize(available)} left for ${demand.what} of ${describeByteSize(demand.bytes)}`,
    needed: "no more memory than the host has there",
    fix: `give ${demand.what} less memory, or bind it to more nodes`,
  };
}

function nodesText(nodes: readonly HostNode[]): string {
  const ids = formatIdSet(nodes.map((node) => node.id));
  return nodes.length === 1 ? `host node ${ids} has` : `host nodes ${ids} have`;
}
