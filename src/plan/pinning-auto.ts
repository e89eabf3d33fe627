import type { HostCpu } from "../host/topology.ts";
import { formatIdSet, idUnion } from "../units/index.ts";
import { type CpuPlan, coresOf } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import type { Cell } from "./numa.ts";
import type { Pin } from "./pinning.ts";

/** Host cores of some nodes: the CPUs of each that may be taken, in order. */
type HostCores = number[][];

/**
 * Automatic pins: each cell's vCPUs on the cell's host nodes, guest siblings on host siblings, nothing that is
 * reserved, offline or another VM's.
 */
export function placeCells(draft: Draft, cpuPlan: CpuPlan, cells: readonly Cell[]): Map<number, Pin> {
  const pins = new Map<number, Pin>();
  const free = freeCpus(draft);
  for (const cell of cells) {
    const nodes = nodesFor(draft, cell, free);
    const cores = hostCores(draft, nodes, free);
    const placed = placeCell(
      draft.profile.pinning.granularity,
      coresOf(cell.vcpus, cpuPlan.guestCpus),
      cores,
    );
    if (placed) {
      for (const [vcpu, pin] of placed) {
        pins.set(vcpu, pin);
        if (pin.exclusive) for (const id of pin.hostCpus) free.delete(id);
      }
      if (draft.profile.pinning.granularity === "node") reserveShare(free, cores, cell.vcpus.length);
      continue;
    }
    if (draft.profile.pinning.overcommit) {
      const shared = nodeCpus(draft, nodes);
      for (const vcpu of cell.vcpus) pins.set(vcpu, { hostCpus: shared, exclusive: false });
      continue;
    }
    refuseShortage(draft, cell, nodes, cores);
  }
  return pins;
}

/** @returns undefined when the cores do not suffice */
function placeCell(
  granularity: "node" | "core" | "thread",
  guestCores: readonly (readonly number[])[],
  cores: HostCores,
): Map<number, Pin> | undefined {
  if (granularity === "node") return placeOnNode(guestCores, cores);
  if (granularity === "core") return placeOnCores(guestCores, cores);
  return placeOnThreads(guestCores, cores);
}

/** Every vCPU may use all of the node's CPUs, of which there are enough. */
function placeOnNode(
  guestCores: readonly (readonly number[])[],
  cores: HostCores,
): Map<number, Pin> | undefined {
  const hostCpus = idUnion(cores);
  const vcpus = guestCores.flat();
  if (vcpus.length > hostCpus.length) return undefined;
  return new Map(vcpus.map((vcpu) => [vcpu, { hostCpus, exclusive: false }]));
}

/** A host core for each guest core; its threads share it. */
function placeOnCores(
  guestCores: readonly (readonly number[])[],
  cores: HostCores,
): Map<number, Pin> | undefined {
  const pins = new Map<number, Pin>();
  const wide = cores.filter((core) => core.length >= (guestCores[0]?.length ?? 1));
  if (wide.length < guestCores.length) return undefined;
  for (const [index, vcpus] of guestCores.entries()) {
    for (const vcpu of vcpus) pins.set(vcpu, { hostCpus: wide[index] ?? [], exclusive: true });
  }
  return pins;
}

/**
 * One host CPU for each vCPU. Siblings get siblings while there are host cores with enough free threads. Guest cores
 * of one thread get host cores of their own first, and second threads only when those run out.
 */
function placeOnThreads(
  guestCores: readonly (readonly number[])[],
  cores: HostCores,
): Map<number, Pin> | undefined {
  const left = cores.map((core) => [...core]);
  const pins = new Map<number, Pin>();
  for (const vcpus of guestCores) {
    const home =
      vcpus.length === 1
        ? mostFree(left)
        : (left.find((core) => core.length >= vcpus.length) ?? left.find((core) => core.length > 0));
    if (!home) return undefined;
    for (const vcpu of vcpus) {
      const cpu = home.shift() ?? left.find((core) => core.length > 0)?.shift();
      if (cpu === undefined) return undefined;
      pins.set(vcpu, { hostCpus: [cpu], exclusive: true });
    }
  }
  return pins;
}

/** The first of the cores with the most free threads, so that whole cores go before second threads. */
function mostFree(cores: HostCores): number[] | undefined {
  let best: number[] | undefined;
  for (const core of cores) if (core.length > (best?.length ?? 0)) best = core;
  return best;
}

/** Online, not reserved, not another VM's. */
function freeCpus(draft: Draft): Set<number> {
  const taken = new Set([
    ...draft.profile.pinning.reserve,
    ...draft.ledger.flatMap((holding) => holding.exclusiveCpus),
  ]);
  return new Set(draft.host.cpus.filter((cpu) => cpu.online && !taken.has(cpu.id)).map((cpu) => cpu.id));
}

/** The cell's host nodes; for a cell that is not bound, the node with the most room, or all when none has enough. */
function nodesFor(draft: Draft, cell: Cell, free: ReadonlySet<number>): readonly number[] {
  const withCpus = draft.host.nodes.filter((node) => node.cpus.length > 0);
  if (cell.hostNodes) {
    const own = cell.hostNodes.filter((id) => withCpus.some((node) => node.id === id));
    // A cell on a node without CPUs runs on the nearest that has some.
    return own.length > 0 ? own : nearestWithCpus(draft, cell.hostNodes[0] ?? 0);
  }
  const room = (cpus: readonly number[]) => cpus.filter((id) => free.has(id)).length;
  const [best] = [...withCpus].sort((a, b) => room(b.cpus) - room(a.cpus) || a.id - b.id);
  return best && room(best.cpus) >= cell.vcpus.length ? [best.id] : withCpus.map((node) => node.id);
}

function nearestWithCpus(draft: Draft, from: number): readonly number[] {
  const home = draft.host.nodes.find((node) => node.id === from);
  const distance = (id: number) =>
    home?.distances[draft.host.nodes.findIndex((node) => node.id === id)] ?? 255;
  const [nearest] = draft.host.nodes
    .filter((node) => node.cpus.length > 0)
    .sort((a, b) => distance(a.id) - distance(b.id) || a.id - b.id);
  return nearest ? [nearest.id] : [];
}

function nodeCpus(draft: Draft, nodes: readonly number[]): readonly number[] {
  const reserved = new Set(draft.profile.pinning.reserve);
  return idUnion(draft.host.nodes.filter((node) => nodes.includes(node.id)).map((node) => node.cpus)).filter(
    (id) => !reserved.has(id),
  );
}

/** Free CPUs of the nodes, core by core in the order of their first CPU. */
function hostCores(draft: Draft, nodes: readonly number[], free: ReadonlySet<number>): HostCores {
  const cores = new Map<string, number[]>();
  const order = (node: number) => nodes.indexOf(node);
  const cpus = draft.host.cpus
    .filter((cpu: HostCpu) => nodes.includes(cpu.node) && free.has(cpu.id))
    .sort((a, b) => order(a.node) - order(b.node) || a.id - b.id);
  for (const cpu of cpus) {
    const key = `${cpu.node}/${cpu.siblings.join(",")}`;
    const core = cores.get(key);
    if (core) core.push(cpu.id);
    else cores.set(key, [cpu.id]);
  }
  return [...cores.values()];
}

/** With granularity node no CPU is anybody's own, but the count that the next cell may use goes down. */
function reserveShare(free: Set<number>, cores: HostCores, count: number): void {
  for (const id of cores.flat().slice(-count)) free.delete(id);
}

function refuseShortage(draft: Draft, cell: Cell, nodes: readonly number[], cores: HostCores): void {
  const count = cores.reduce((sum, core) => sum + core.length, 0);
  const where = nodes.length === 1 ? `host node ${nodes[0]}` : `host nodes ${formatIdSet(nodes)}`;
  const holders = draft.ledger
    .filter((holding) => holding.exclusiveCpus.length > 0)
    .map((holding) => holding.vm);
  const notes = [
    ...(draft.profile.pinning.reserve.length > 0
      ? [`reserved: ${formatIdSet(draft.profile.pinning.reserve)}`]
      : []),
    ...(holders.length > 0 ? [`held by ${holders.join(", ")}`] : []),
  ];
  const path = draft.profile.numa ? ["numa", "cells", cell.id, "cpus"] : ["cpus", "boot"];
  draft.refuse("HOST_CPUS_SHORT", path, {
    found: `${where} has ${count} free CPUs on ${cores.length} cores for the ${cell.vcpus.length} vCPUs of cell ${cell.id}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`,
    needed: `${cell.vcpus.length} free host CPUs${draft.profile.pinning.granularity === "core" ? ", a whole core for each guest core" : ""}`,
    fix: 'use fewer vCPUs, bind the cell to more nodes, or set pinning.vcpus to "none" or pinning.overcommit to true',
  });
}
