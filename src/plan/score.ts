import type { Ledger } from "../host/ledger.ts";
import type { Host } from "../host/topology.ts";
import { idDifference, idUnion } from "../units/index.ts";
import { HostCores } from "./host-cores.ts";
import type { PlacedCell, PlacedVcpu, Plan } from "./types.ts";

export type ScorePart = "memory" | "threads" | "caches" | "devices" | "turns" | "left over";

export interface ScoreLine {
  readonly part: ScorePart;
  /** What it is about. */
  readonly about: string;
  /** How much of it is as it should be, and of how much; none of none where it does not apply. */
  readonly good: number;
  readonly all: number;
  readonly weight: number;
}

export interface Score {
  /** 0 to 100: the lines that apply, by their weights. */
  readonly total: number;
  readonly lines: readonly ScoreLine[];
}

/** How well a plan lies on a host, beside what other VMs hold. */
export function scorePlan(plan: Plan, host: Host, ledger: Ledger): Score {
  const { cells, vcpus } = plan.placement;
  const parts: [ScorePart, string, number, Fraction][] = [
    ["memory", "vCPUs that run where the memory of their cell is", 30, localVcpus(host, cells, vcpus)],
    ["threads", "guest cores on a host core of their own, siblings on siblings", 20, wholeCores(host, vcpus)],
    ["caches", "level 3 caches that would do, of those that are used", 15, caches(host, vcpus)],
    ["devices", "devices on the cell of their node", 20, nearDevices(plan, host)],
    ["turns", "vCPUs that can run at once", 10, ownTurns(vcpus, ledger)],
    ["left over", "free host CPUs on cores that are wholly free", 5, unbroken(plan, host, ledger)],
  ];
  const lines = parts.map(([part, about, weight, { good, all }]) => ({ part, about, good, all, weight }));
  const applying = lines.filter(({ all }) => all > 0);
  const weights = applying.reduce((sum, { weight }) => sum + weight, 0);
  const sum = applying.reduce((points, { good, all, weight }) => points + (weight * good) / all, 0);
  return { total: weights === 0 ? 100 : (100 * sum) / weights, lines };
}

interface Fraction {
  readonly good: number;
  readonly all: number;
}

const none: Fraction = { good: 0, all: 0 };

function localVcpus(host: Host, cells: readonly PlacedCell[], vcpus: readonly PlacedVcpu[]): Fraction {
  if (host.nodes.filter(({ memoryBytes }) => memoryBytes > 0).length < 2) return none;
  const nodeOf = new Map(host.cpus.map(({ id, node }) => [id, node]));
  const isLocal = ({ cell, hostCpus }: PlacedVcpu) => {
    const home = cells.find(({ id }) => id === cell)?.hostNodes;
    return home !== undefined && hostCpus?.every((id) => home.includes(nodeOf.get(id) ?? -1)) === true;
  };
  return { good: vcpus.filter(isLocal).length, all: vcpus.length };
}

/** Of the guest cores whose vCPUs have one host CPU each. */
function wholeCores(host: Host, vcpus: readonly PlacedVcpu[]): Fraction {
  const coreOf = new Map(host.cpus.map(({ id, siblings }) => [id, siblings[0] ?? id]));
  const hostCoresOf = new Map<string, Set<number>>();
  const guestCoresOn = new Map<number, Set<string>>();
  for (const { socket, die, core, hostCpus } of vcpus) {
    const [only, ...others] = hostCpus ?? [];
    if (only === undefined || others.length > 0) continue;
    const guestCore = `${socket}/${die}/${core}`;
    const hostCore = coreOf.get(only) ?? only;
    hostCoresOf.set(guestCore, (hostCoresOf.get(guestCore) ?? new Set()).add(hostCore));
    guestCoresOn.set(hostCore, (guestCoresOn.get(hostCore) ?? new Set()).add(guestCore));
  }
  const good = [...hostCoresOf.values()].filter(
    (hostCores) => hostCores.size === 1 && [...hostCores].every((core) => guestCoresOn.get(core)?.size === 1),
  );
  return { good: good.length, all: hostCoresOf.size };
}

function caches(host: Host, vcpus: readonly PlacedVcpu[]): Fraction {
  const cacheOf = new Map(host.cpus.flatMap(({ id, l3 }) => (l3 === undefined ? [] : [[id, l3] as const])));
  if (new Set(cacheOf.values()).size < 2) return none;
  const sizes = new Map<number, number>();
  for (const l3 of cacheOf.values()) sizes.set(l3, (sizes.get(l3) ?? 0) + 1);
  const largest = Math.max(...sizes.values());
  let [good, all] = [0, 0];
  for (const cell of new Set(vcpus.map((vcpu) => vcpu.cell))) {
    const cpus = idUnion(vcpus.flatMap((vcpu) => (vcpu.cell === cell ? [vcpu.hostCpus ?? []] : [])));
    const used = new Set(cpus.flatMap((id) => cacheOf.get(id) ?? []));
    good += Math.min(used.size, Math.ceil(cpus.length / largest));
    all += used.size;
  }
  return { good, all };
}

function nearDevices({ devices, placement }: Plan, host: Host): Fraction {
  const nodeOf = new Map((host.pci ?? []).map(({ address, node }) => [address, node]));
  const placed = devices.flatMap(({ hostAddress, numaNode }) => {
    const node = hostAddress === undefined ? undefined : nodeOf.get(hostAddress);
    return node === undefined || node < 0 ? [] : [{ node, cell: numaNode ?? 0 }];
  });
  const near = placed.filter(({ node, cell }) => placement.cells[cell]?.hostNodes?.includes(node));
  return { good: near.length, all: placed.length };
}

/** A CPU that another VM has is none of theirs. */
function ownTurns(vcpus: readonly PlacedVcpu[], ledger: Ledger): Fraction {
  const pinned = vcpus.filter(({ hostCpus }) => hostCpus !== undefined);
  const cpus = idDifference(
    idUnion([...new Set(pinned.map(({ hostCpus }) => hostCpus ?? []))]),
    ledger.flatMap(({ exclusiveCpus }) => exclusiveCpus),
  );
  return { good: Math.min(cpus.length, pinned.length), all: pinned.length };
}

function unbroken({ placement }: Plan, host: Host, ledger: Ledger): Fraction {
  const held = [
    ...ledger.flatMap(({ exclusiveCpus }) => exclusiveCpus),
    ...placement.vcpus.flatMap(({ exclusive, hostCpus = [] }) => (exclusive ? hostCpus : [])),
    ...(placement.idleCpus ?? []),
  ];
  const free = new HostCores(host, new Set(held)).on(host.nodes.map(({ id }) => id));
  const count = (cores: typeof free) => cores.reduce((sum, { cpus }) => sum + cpus.length, 0);
  return { good: count(free.filter(({ whole }) => whole)), all: count(free) };
}
