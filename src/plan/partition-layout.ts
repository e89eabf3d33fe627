import type { HostNode } from "../host/topology.ts";
import type { Profile } from "../profile/index.ts";
import { describeByteSize } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import { countCpus, type HostCore, HostCores } from "./host-cores.ts";
import { unheldBytes } from "./memory-host.ts";
import {
  chooseNode,
  chooseNodes,
  chooseTogether,
  type Distance,
  fillNodes,
  type Need,
  type NodeRoom,
} from "./partition-nodes.ts";
import { type Dealt, dealBySize, dealVcpus } from "./partition-vcpus.ts";
import type { ChosenFunction } from "./passthrough-select.ts";

export type Partition = NonNullable<NonNullable<Profile["numa"]>["partition"]>;

const mebibyte = 2 ** 20;

function deal(draft: Draft, { distribution }: Partition, count: number): Dealt | undefined {
  const { cpus } = draft.profile;
  const max = cpus.max ?? cpus.boot;
  const { topology } = cpus;
  if (topology && topology.sockets * topology.dies * topology.cores * topology.threads !== max)
    return undefined;
  const dealt = dealVcpus(max, count, distribution, topology, hostThreads(draft));
  if (dealt && distribution === "round-robin" && dealt.topology.threads > 1) {
    draft.refuse("NUMA_CORE_SPLIT", ["cpus", "topology", "threads"], {
      found: `${dealt.topology.threads} threads a core with vCPUs dealt round-robin`,
      needed: "1, since threads of a core stay in one cell",
      fix: 'write 1, leave topology out, or take "interleave", which deals cores',
    });
  }
  if (dealt) return dealt;
  draft.refuse("NUMA_PARTITION", ["numa", "partition"], {
    found: `${count} cells for ${max} vCPUs${topology && topology.threads > 1 ? ` in cores of ${topology.threads}` : ""}`,
    needed: "a core for each cell at least",
    fix: `write "cells": ${Math.max(1, Math.floor(max / (topology?.threads ?? 1)))} or fewer, or use more vCPUs`,
  });
  return undefined;
}

function hostThreads({ host }: Draft): number {
  return Math.max(1, ...host.cpus.map(({ siblings }) => siblings.length));
}

/** What memory is dealt in. */
export function stepOf({ profile }: Draft): number {
  return Math.max(profile.memory.pageSize ?? 0, 2 * mebibyte);
}

/** In proportion to vCPUs; what does not fill a step is the first cell's, where it is refused if it has to be. */
function shares(draft: Draft, { cells }: Dealt): number[] {
  const { size } = draft.profile.memory;
  const step = stepOf(draft);
  const vcpus = cells.reduce((sum, each) => sum + each.length, 0);
  const bytes = cells.map((each) => Math.floor((size * each.length) / vcpus / step) * step);
  let rest = size - bytes.reduce((sum, each) => sum + each, 0);
  for (let id = 0; rest >= step; id = (id + 1) % bytes.length) {
    bytes[id] = (bytes[id] ?? 0) + step;
    rest -= step;
  }
  bytes[0] = (bytes[0] ?? 0) + rest;
  return bytes;
}

/** Who has which vCPUs, how much memory, and where. */
export interface Layout {
  readonly dealt: Dealt;
  /** Of each cell. */
  readonly bytes: readonly number[];
  readonly homes: readonly HostNode[];
}

/**
 * Lays a partition out on nodes of the host, beside what other VMs hold.
 * @returns undefined when it was refused
 */
export function layOut(
  draft: Draft,
  partition: Partition,
  nodes: readonly HostNode[],
  devices: readonly ChosenFunction[],
): Layout | undefined {
  if (partition.mode === "node") return layOnFew(draft, partition, nodes, devices);
  const dealt = deal(draft, partition, partition.cells ?? nodes.length);
  if (!dealt) return undefined;
  const bytes = shares(draft, dealt);
  const rooms = roomsOn(draft, nodes, devices, dealt);
  const count = dealt.cells.length;
  const chosen =
    count < rooms.length ? chooseNodes(rooms, count, needOf(draft, dealt, bytes), distancesOf(draft)) : rooms;
  // More cells than nodes: neighbours share one.
  const homes = dealt.cells.flatMap((_, id) => chosen[Math.floor((id * chosen.length) / count)]?.node ?? []);
  return { dealt, bytes, homes };
}

/**
 * On one node, with as many cells as are asked for: the devices' node, or each of theirs; where it fits on none, a cell
 * on each of as few as will do.
 */
function layOnFew(
  draft: Draft,
  partition: Partition,
  nodes: readonly HostNode[],
  devices: readonly ChosenFunction[],
): Layout | undefined {
  const first = deal(draft, partition, partition.cells ?? 1);
  if (!first) return undefined;
  const rooms = roomsOn(draft, nodes, devices, first);
  const whole = {
    cpus: needOf(draft, { ...first, cells: [first.cells.flat()] }, []).cpus,
    bytes: draft.profile.memory.size,
  };
  // Devices of several nodes want a cell on each.
  const besideDevices = rooms.filter(({ devices: count }) => count > 0);
  if (partition.cells === undefined && besideDevices.length > 1) {
    const near = layInParts(draft, partition, besideDevices, besideDevices.length);
    if (near) return near;
  }
  const room = chooseNode(rooms, whole);
  if (room) return { dealt: first, bytes: shares(draft, first), homes: first.cells.map(() => room.node) };
  const spread = partition.cells === undefined ? layOnSeveral(draft, partition, rooms, first) : undefined;
  if (spread) return spread;
  const mostCpus =
    partition.cells === undefined
      ? rooms.reduce((sum, { cpus }) => sum + cpus, 0)
      : Math.max(...rooms.map(({ cpus }) => cpus));
  const code = mostCpus < whole.cpus ? "HOST_CPUS_SHORT" : "HOST_MEMORY_SHORT";
  draft.refuse(code, ["numa", "partition", "mode"], {
    found: `no room for ${whole.cpus} vCPUs and ${describeByteSize(whole.bytes)}: ${rooms.map(({ node, cpus, bytes: free }) => `node ${node.id} has ${cpus} free CPUs and ${describeByteSize(free)}`).join(", ")}`,
    needed:
      partition.cells === undefined
        ? "room on one node, or on several"
        : "room for the whole guest on one node",
    fix: "use fewer vCPUs or less memory, or stop a VM",
  });
  return undefined;
}

/** In equal parts on so many nodes that lie near each other; undefined where not so many have room, or too few cores. */
function layInParts(
  draft: Draft,
  { distribution }: Pick<Partition, "distribution">,
  rooms: readonly NodeRoom[],
  count: number,
): Layout | undefined {
  const { boot, max = boot, topology } = draft.profile.cpus;
  const dealt = dealVcpus(max, count, distribution, topology, hostThreads(draft));
  if (!dealt) return undefined;
  const bytes = shares(draft, dealt);
  const homes = chooseTogether(rooms, count, needOf(draft, dealt, bytes), distancesOf(draft));
  return homes && { dealt, bytes, homes: homes.map(({ node }) => node) };
}

/** In equal parts on two nodes, on three and so on; then on as much of each as it has, in runs alone. */
function layOnSeveral(
  draft: Draft,
  { distribution }: Partition,
  rooms: readonly NodeRoom[],
  whole: Dealt,
): Layout | undefined {
  const { cpus, memory } = draft.profile;
  const vcpus = whole.cells.flat().length;
  for (let count = 2; count <= rooms.length; count++) {
    const parts = layInParts(draft, { distribution }, rooms, count);
    if (parts) return parts;
  }
  if (distribution === "round-robin" || distribution === "interleave") return undefined;
  const { threads } = whole.topology;
  const steps = (bytes: number) => Math.floor(bytes / stepOf(draft));
  const filled = fillNodes(rooms, vcpus / threads, (room) => {
    // A step is what rounding may add to a part.
    const ofMemory = Math.floor(((steps(room.bytes) - 1) * stepOf(draft) * vcpus) / memory.size);
    return Math.max(0, Math.floor(Math.min(room.cpus, ofMemory) / threads));
  });
  if (!filled) return undefined;
  const dealt = dealBySize(
    filled.map(({ cores }) => cores),
    threads,
    cpus.topology,
  );
  return { dealt, bytes: shares(draft, dealt), homes: filled.map(({ room }) => room.node) };
}

/** Of the largest cell. */
function needOf(draft: Draft, { cells }: Dealt, bytes: readonly number[]): Need {
  const { overcommit, vcpus } = draft.profile.pinning;
  const mayShare = overcommit || vcpus === "none";
  return {
    cpus: mayShare ? 0 : Math.max(...cells.map((cpus) => cpus.length)),
    bytes: Math.max(0, ...bytes),
  };
}

function roomsOn(
  draft: Draft,
  nodes: readonly HostNode[],
  devices: readonly ChosenFunction[],
  { topology }: Dealt,
): NodeRoom[] {
  const { pinning, memory } = draft.profile;
  const kept = new Set([...draft.reserved, ...draft.ledger.flatMap((holding) => holding.exclusiveCpus)]);
  const cores = new HostCores(draft.host, kept);
  const { pageSize = 0 } = memory;
  return nodes.map((node) => {
    const free = cores.on([node.id]);
    return {
      node,
      cpus: countPinnable(pinning, free, topology.threads),
      bytes: unheldBytes(draft, node, pageSize >= 2 * mebibyte ? pageSize : 0),
      devices: devices.filter(({ fn }) => fn.node === node.id).length,
    };
  });
}

/** How many vCPUs pinning would find room for on these cores. */
function countPinnable(
  { granularity, threadPolicy }: Profile["pinning"],
  free: readonly HostCore[],
  threads: number,
): number {
  const whole = free.filter((core) => core.whole);
  if (granularity === "core" || (granularity === "thread" && threadPolicy === "isolate")) {
    return whole.filter(({ cpus }) => cpus.length >= threads).length * threads;
  }
  if (granularity === "thread" && threadPolicy === "require") {
    const widths = whole.map(({ cpus }) => cpus.length).filter((width) => width > 1);
    return widths.length > 0 ? widths.length * Math.min(...widths) : 0;
  }
  return countCpus(free);
}

export function distancesOf({ host }: Draft): Distance {
  const places = new Map(host.nodes.map(({ id }, index) => [id, index]));
  return (from, to) => from.distances[places.get(to.id) ?? -1] ?? 20;
}
