import type { HostNode } from "../host/topology.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import type { Cell } from "./numa.ts";

/**
 * Whether the host has the memory, node by node: enough in all and too little on the bound node is what makes QEMU
 * die after minutes, or the guest later.
 */
export function checkHostMemory(draft: Draft, cells: readonly Cell[], pageSizeBytes: number): void {
  const path = (cell: Cell): (string | number)[] =>
    draft.profile.numa
      ? ["numa", "cells", cell.id, cell.hostNodes ? "hostNodes" : "memory"]
      : ["memory", "size"];
  const huge = pageSizeBytes > 4096;
  if (huge && !draft.host.nodes.some((node) => pool(node, pageSizeBytes))) {
    const sizes = [
      ...new Set(draft.host.nodes.flatMap((node) => node.hugepages.map((entry) => entry.pageSizeBytes))),
    ];
    draft.refuse("HOST_HUGEPAGE_SIZE", ["memory", "pageSize"], {
      found: `no ${describeByteSize(pageSizeBytes)} pages on this host`,
      needed:
        sizes.length > 0 ? `one of ${sizes.map(describeByteSize).join(", ")}` : "huge pages in the kernel",
      fix: "write a size that the host has, or leave pageSize out",
    });
    return;
  }
  const left = new Map(
    draft.host.nodes.map((node) => [
      node.id,
      huge ? (pool(node, pageSizeBytes)?.free ?? 0) * pageSizeBytes : node.memoryBytes,
    ]),
  );
  for (const cell of cells) {
    const bound = draft.host.nodes.filter((node) => !cell.hostNodes || cell.hostNodes.includes(node.id));
    const before = bound.map((node) => left.get(node.id) ?? 0);
    const available = before.reduce((sum, bytes) => sum + bytes, 0);
    if (bound.length === 0) continue;
    if (available < cell.memoryBytes) {
      const report = cell.policy === "preferred" && !huge ? draft.warn.bind(draft) : draft.refuse.bind(draft);
      if (huge)
        report("HOST_HUGEPAGES_SHORT", path(cell), shortOfPages(cell, bound, available, pageSizeBytes));
      else report("HOST_MEMORY_SHORT", path(cell), shortOfMemory(cell, bound, available));
    } else if (!huge) {
      const free = bound.reduce((sum, node) => sum + node.freeBytes, 0);
      if (free < cell.memoryBytes) {
        draft.warn("HOST_MEMORY_SHORT", path(cell), {
          found: `${nodesText(bound)} ${describeByteSize(free)} free, and cell ${cell.id} has ${describeByteSize(cell.memoryBytes)}`,
          needed: "the memory free, or page cache that the kernel can drop",
          fix: "stop what uses the node's memory, or expect a slow start",
        });
      }
    }
    take(left, bound, cell.memoryBytes);
  }
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

function shortOfPages(cell: Cell, nodes: readonly HostNode[], availableBytes: number, pageSizeBytes: number) {
  const free = Math.floor(availableBytes / pageSizeBytes);
  const needed = Math.ceil(cell.memoryBytes / pageSizeBytes);
  const target = nodes[0];
  const total = (target && pool(target, pageSizeBytes)?.total) ?? 0;
  const page = describeByteSize(pageSizeBytes);
  return {
    found: `${nodesText(nodes)} ${free} free ${page} pages left for cell ${cell.id}, which needs ${needed}`,
    needed: `${needed} free pages on ${nodes.length === 1 ? "that node" : "those nodes"}`,
    fix: `reserve ${needed - free} more: write ${total + needed - free} (now ${total}) to /sys/devices/system/node/node${target?.id ?? 0}/hugepages/hugepages-${pageSizeBytes / 1024}kB/nr_hugepages`,
  };
}

function shortOfMemory(cell: Cell, nodes: readonly HostNode[], availableBytes: number) {
  return {
    found: `${nodesText(nodes)} ${describeByteSize(availableBytes)} left for cell ${cell.id} of ${describeByteSize(cell.memoryBytes)}`,
    needed: "no more memory than the host has there",
    fix: "give the cell less memory, or bind it to more nodes",
  };
}

function nodesText(nodes: readonly HostNode[]): string {
  const ids = formatIdSet(nodes.map((node) => node.id));
  return nodes.length === 1 ? `host node ${ids} has` : `host nodes ${ids} have`;
}
