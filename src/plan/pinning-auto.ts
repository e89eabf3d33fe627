import { formatIdSet, type IdSet, idDifference, idIntersection, idUnion } from "../units/index.ts";
import { type CpuPlan, coresOf } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import { cacheChoices, countCpus, type HostCore, HostCores } from "./host-cores.ts";
import { onlineCpus } from "./host-cpus.ts";
import type { Cell } from "./numa.ts";
import type { Pin } from "./pinning.ts";

/** A guest core: the vCPUs that are its threads. */
type GuestCore = readonly number[];

/**
 * Automatic pins: each cell's vCPUs on the cell's host nodes, guest siblings on host siblings, nothing that is
 * reserved, offline or another VM's. Cells with the least choice go first, so that one that may run anywhere does
 * not take what another needs.
 */
export function placeCells(
  draft: Draft,
  cpuPlan: CpuPlan,
  cells: readonly Cell[],
): { pins: Map<number, Pin>; idle: IdSet } {
  const { granularity, overcommit, threadPolicy } = draft.profile.pinning;
  const idle = new Set<number>();
  const kept = new Set([...draft.reserved, ...draft.ledger.flatMap((holding) => holding.exclusiveCpus)]);
  const cores = new HostCores(draft.host, kept);
  const all = new HostCores(draft.host, kept);
  const pins = new Map<number, Pin>();
  const choice = (cell: Cell) => cell.hostNodes?.length ?? Number.POSITIVE_INFINITY;
  for (const cell of [...cells].sort((a, b) => compare(choice(a), choice(b)) || a.id - b.id)) {
    if (cell.vcpus.length === 0) continue;
    const guestCores = coresOf(cell.vcpus, cpuPlan.guestCpus);
    const candidates = candidateNodes(draft, cell, cores);
    const ways = granularity === "core" ? [placeOnCores] : threadPolicies[threadPolicy];
    const placed = firstDefined(candidates, (nodes) =>
      granularity === "node"
        ? placeOnNode(guestCores, cores.on(nodes), all.on(nodes))
        : firstDefined(ways, (place) =>
            firstDefined(cacheChoices(cores.on(nodes)), (some) => place(guestCores, some)),
          ),
    );
    const widest = candidates.at(-1) ?? [];
    if (placed) {
      for (const [vcpu, pin] of placed.pins) pins.set(vcpu, pin);
      cores.take(placed.taken);
      for (const id of placed.idle ?? []) idle.add(id);
    } else if (overcommit) {
      const hostCpus = sharedCpus(draft, widest);
      for (const vcpu of cell.vcpus) pins.set(vcpu, { hostCpus, exclusive: false });
    } else {
      refuseShortage(draft, cell, widest, cores.on(widest));
    }
  }
  return { pins, idle: [...idle].sort((a, b) => a - b) };
}

interface Placed {
  readonly pins: ReadonlyMap<number, Pin>;
  /** Host CPUs that no other cell may count on. */
  readonly taken: readonly number[];
  /** Those of them that nobody shall use. Default: none. */
  readonly idle?: readonly number[];
}

/** Every vCPU may use all of the node's CPUs, of which there are enough for all cells that are there. */
function placeOnNode(
  guestCores: readonly GuestCore[],
  free: readonly HostCore[],
  all: readonly HostCore[],
): Placed | undefined {
  const vcpus = guestCores.flat();
  const left = free.flatMap((core) => core.cpus);
  if (vcpus.length > left.length) return undefined;
  const hostCpus = idUnion(all.map((core) => core.cpus));
  return {
    pins: new Map(vcpus.map((vcpu) => [vcpu, { hostCpus, exclusive: false }])),
    taken: left.slice(0, vcpus.length),
  };
}

/** A whole host core for each guest core; its threads share it. */
function placeOnCores(guestCores: readonly GuestCore[], cores: readonly HostCore[]): Placed | undefined {
  const threads = threadsOf(guestCores);
  const wide = cores.filter((core) => core.whole && core.cpus.length >= threads);
  if (wide.length < guestCores.length) return undefined;
  const pins = new Map<number, Pin>();
  for (const [index, vcpus] of guestCores.entries()) {
    const hostCpus = wide[index]?.cpus ?? [];
    for (const vcpu of vcpus) pins.set(vcpu, { hostCpus, exclusive: true });
  }
  return { pins, taken: [...pins.values()].flatMap((pin) => pin.hostCpus) };
}

/**
 * One host CPU for each vCPU. Siblings get siblings while there are host cores with enough free threads. Guest cores
 * of one thread get host cores of their own first, and second threads only when those run out.
 */
function placeOnThreads(guestCores: readonly GuestCore[], cores: readonly HostCore[]): Placed | undefined {
  const groups = siblingGroups(cores, threadsOf(guestCores));
  const pins = new Map<number, Pin>();
  for (const vcpus of guestCores) {
    const cpus: readonly number[] = groups.next().value ?? [];
    if (cpus.length < vcpus.length) return undefined;
    for (const [index, vcpu] of vcpus.entries()) {
      pins.set(vcpu, { hostCpus: cpus.slice(index, index + 1), exclusive: true });
    }
  }
  return { pins, taken: [...pins.values()].flatMap((pin) => pin.hostCpus) };
}

/** A whole host core for each guest core; threads that the guest core does not have stay idle. */
function isolateThreads(guestCores: readonly GuestCore[], cores: readonly HostCore[]): Placed | undefined {
  const threads = threadsOf(guestCores);
  const wide = cores.filter((core) => core.whole && core.cpus.length >= threads);
  if (wide.length < guestCores.length) return undefined;
  return filledCores(guestCores, wide);
}

/** Host cores with several threads, full of these vCPUs; the last one may have threads left. */
function fillCores(guestCores: readonly GuestCore[], cores: readonly HostCore[]): Placed | undefined {
  const whole = cores.filter((core) => core.whole && core.cpus.length > 1);
  const width = Math.min(...whole.map((core) => core.cpus.length));
  const vcpus = guestCores.flat();
  const groups: number[][] = [];
  for (let start = 0; start < vcpus.length; start += width) groups.push(vcpus.slice(start, start + width));
  if (whole.length < groups.length) return undefined;
  return filledCores(groups, whole);
}

/** Each group on a host core of its own, one CPU for each of its vCPUs. */
function filledCores(groups: readonly (readonly number[])[], cores: readonly HostCore[]): Placed {
  const pins = new Map<number, Pin>();
  const taken: number[] = [];
  const idle: number[] = [];
  for (const [index, vcpus] of groups.entries()) {
    const cpus = cores[index]?.cpus ?? [];
    for (const [place, vcpu] of vcpus.entries()) {
      pins.set(vcpu, { hostCpus: cpus.slice(place, place + 1), exclusive: true });
    }
    taken.push(...cpus);
    idle.push(...cpus.slice(vcpus.length));
  }
  return { pins, taken, idle };
}

/** As isolated threads, but what they leave idle is for others. */
function placeOnOwnCores(guestCores: readonly GuestCore[], cores: readonly HostCore[]): Placed | undefined {
  const placed = isolateThreads(guestCores, cores);
  return (
    placed && { pins: placed.pins, taken: [...placed.pins.values()].flatMap(({ hostCpus }) => hostCpus) }
  );
}

/** The ways to place, each tried on as few caches as will do before the next. */
const threadPolicies = {
  prefer: [placeOnOwnCores, placeOnThreads],
  isolate: [isolateThreads],
  require: [fillCores],
} as const;

/** Host CPUs in groups of `size`: a core of its own for each, then what cores have left, the most first; then any mix. */
function* siblingGroups(cores: readonly HostCore[], size: number): Generator<readonly number[], undefined> {
  const left = cores.map((core) => ({ cpus: [...core.cpus], whole: core.whole }));
  for (const { cpus, whole } of left) if (whole && cpus.length >= size) yield cpus.splice(0, size);
  const widest = left.reduce((most, core) => Math.max(most, core.cpus.length), 0);
  for (let width = widest; width >= size; width--) {
    for (const { cpus } of left) if (cpus.length === width) yield cpus.splice(0, size);
  }
  const rest = left.flatMap((core) => core.cpus);
  for (let start = 0; start < rest.length; start += size) yield rest.slice(start, start + size);
}

function threadsOf(guestCores: readonly GuestCore[]): number {
  return guestCores.reduce((most, core) => Math.max(most, core.length), 1);
}

/**
 * Sets of host nodes to try in order: the cell's own; for a cell that is not bound, the node with the most room,
 * then all.
 */
function candidateNodes(draft: Draft, cell: Cell, cores: HostCores): (readonly number[])[] {
  const withCpus = draft.host.nodes.filter((node) => node.cpus.length > 0).map((node) => node.id);
  if (cell.hostNodes) {
    const own = cell.hostNodes.filter((id) => withCpus.includes(id));
    // A cell on a node without CPUs runs on the nearest that has some.
    return [own.length > 0 ? own : nearestWithCpus(draft, cell.hostNodes[0] ?? 0)];
  }
  const room = new Map(withCpus.map((id) => [id, countCpus(cores.on([id]))]));
  const [best] = [...withCpus].sort((a, b) => (room.get(b) ?? 0) - (room.get(a) ?? 0) || a - b);
  return best === undefined ? [withCpus] : [[best], withCpus];
}

function nearestWithCpus(draft: Draft, from: number): readonly number[] {
  const { nodes } = draft.host;
  const home = nodes.find((node) => node.id === from);
  const [nearest] = nodes
    .map((node, index) => ({ node, distance: home?.distances[index] ?? 255 }))
    .filter(({ node }) => node.cpus.length > 0)
    .sort((a, b) => a.distance - b.distance || a.node.id - b.node.id);
  return nearest ? [nearest.node.id] : [];
}

/** The nodes' CPUs for vCPUs that take turns: all but the reserved ones, and those only when there are no others. */
function sharedCpus(draft: Draft, nodes: readonly number[]): readonly number[] {
  const cpus = idUnion(draft.host.nodes.filter((node) => nodes.includes(node.id)).map((node) => node.cpus));
  const ours = idIntersection(cpus, onlineCpus(draft.host));
  const shared = idDifference(ours, draft.reserved);
  return shared.length > 0 ? shared : ours;
}

const policyNeeds = {
  prefer: "",
  isolate: ", a whole core for each guest core, as threadPolicy isolate says",
  require: ", on whole cores of several threads, as threadPolicy require says",
} as const;

function refuseShortage(
  draft: Draft,
  cell: Cell,
  nodes: readonly number[],
  cores: readonly HostCore[],
): void {
  const { granularity, threadPolicy } = draft.profile.pinning;
  const { reserved } = draft;
  const where = nodes.length === 1 ? `host node ${nodes[0]} has` : `host nodes ${formatIdSet(nodes)} have`;
  const holders = draft.ledger.filter((holding) => holding.exclusiveCpus.length > 0);
  const notes = [
    ...(reserved.length > 0 ? [`reserved: ${formatIdSet(reserved)}`] : []),
    ...(holders.length > 0 ? [`held by ${holders.map((holding) => holding.vm).join(", ")}`] : []),
  ];
  const path = draft.cells ? draft.cellPath(cell.id, "cpus") : ["cpus", "boot"];
  draft.refuse("HOST_CPUS_SHORT", path, {
    found: `${where} ${countCpus(cores)} free CPUs on ${cores.length} cores for the ${cell.vcpus.length} vCPUs of cell ${cell.id}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`,
    needed: `${cell.vcpus.length} free host CPUs${granularity === "core" ? ", a whole core for each guest core" : granularity === "thread" ? policyNeeds[threadPolicy] : ""}`,
    fix: 'use fewer vCPUs, bind the cell to more nodes, or set pinning.vcpus to "none" or pinning.overcommit to true',
  });
}

function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function firstDefined<Item, Value>(
  items: readonly Item[],
  attempt: (item: Item) => Value | undefined,
): Value | undefined {
  for (const item of items) {
    const value = attempt(item);
    if (value !== undefined) return value;
  }
  return undefined;
}
