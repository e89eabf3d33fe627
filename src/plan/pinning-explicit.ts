import type { JsonPath } from "../errors/index.ts";
import { formatIdSet, type IdSet, idIntersection, idUnion, parseIdSet } from "../units/index.ts";
import type { CpuPlan } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import type { HostCpuCheck } from "./host-cpus.ts";
import { type StarvedGroup, starvedGroups } from "./matching.ts";
import type { Cell } from "./numa.ts";
import type { Pin } from "./pinning.ts";

interface PinEntry {
  /** As the profile has it: "0-3". */
  readonly key: string;
  readonly vcpu: number;
  readonly hostCpus: IdSet;
}

/** The profile's own pins, checked: vCPUs may share a set in which each can have a host CPU to itself. */
export function placeExplicitly(
  draft: Draft,
  pins: Readonly<Record<string, IdSet>>,
  { max }: CpuPlan,
  cells: readonly Cell[],
  hostCpuCheck: HostCpuCheck,
): Map<number, Pin> {
  const { overcommit } = draft.profile.pinning;
  const locality = new Locality(draft, cells);
  const entries: PinEntry[] = [];
  const result = new Map<number, Pin>();
  for (const [key, hostCpus] of Object.entries(pins)) {
    const path = ["pinning", "vcpus", key];
    const vcpus = parseIdSet(key) ?? [];
    checkKey(draft, path, vcpus, max);
    checkOnce(draft, path, vcpus, result);
    hostCpuCheck.checkSome(hostCpus, path);
    locality.check(path, vcpus, hostCpus);
    for (const vcpu of vcpus) {
      if (vcpu >= max || result.has(vcpu)) continue;
      entries.push({ key, vcpu, hostCpus });
      result.set(vcpu, { hostCpus, exclusive: !overcommit && hostCpus.length === 1 });
    }
  }
  if (!overcommit) checkOwnCpus(draft, entries);
  return result;
}

function checkKey(draft: Draft, path: JsonPath, vcpus: IdSet, max: number): void {
  if (vcpus.length === 0) {
    draft.refuse("PROFILE_VALUE", path, {
      found: `"${path.at(-1)}", which names no vCPU`,
      needed: 'vCPU numbers and ascending ranges such as "0" or "0-3"',
      fix: "write the vCPUs as the key, their host CPUs as the value",
    });
  }
  const beyond = vcpus.filter((id) => id >= max);
  if (beyond.length > 0) {
    draft.refuse("PINNING_BEYOND_MAX", path, {
      found: `a pin for vCPU ${formatIdSet(beyond)}, and the guest has 0-${max - 1}`,
      needed: `vCPUs below ${max}`,
      fix: "leave the pin out, or raise cpus.max",
    });
  }
}

function checkOnce(draft: Draft, path: JsonPath, vcpus: IdSet, pinned: ReadonlyMap<number, Pin>): void {
  const twice = vcpus.filter((id) => pinned.has(id));
  if (twice.length === 0) return;
  draft.refuse("PINNING_CPU_TWICE", path, {
    found: `vCPU ${formatIdSet(twice)} is pinned twice`,
    needed: "one set of host CPUs for each vCPU",
    fix: "take it out of one of the keys",
  });
}

/** First among the vCPUs of this VM, then beside what other VMs have. */
function checkOwnCpus(draft: Draft, entries: readonly PinEntry[]): void {
  const pinned = entries.filter((entry) => entry.hostCpus.length > 0);
  const starved = starvedGroups(pinned.map((entry) => entry.hostCpus));
  for (const group of starved) refuseShared(draft, pinned, group);
  if (starved.length > 0) return;
  const taken = new Set(draft.ledger.flatMap((holding) => holding.exclusiveCpus));
  if (taken.size === 0) return;
  const sets = new Set(pinned.map((entry) => entry.hostCpus));
  const left = new Map([...sets].map((set) => [set, set.filter((id) => !taken.has(id))]));
  for (const group of starvedGroups(pinned.map((entry) => left.get(entry.hostCpus) ?? []))) {
    refuseHeld(draft, pinned, group);
  }
}

function refuseShared(draft: Draft, pinned: readonly PinEntry[], group: StarvedGroup): void {
  const vcpus = group.members.map((index) => pinned[index]?.vcpu ?? 0).sort((a, b) => a - b);
  draft.refuse("PINNING_CPU_TWICE", commonPath(pinned, group), {
    found: `vCPUs ${formatIdSet(vcpus)} are pinned to host CPU ${formatIdSet(group.choices)}: ${vcpus.length} vCPUs on ${count(group.choices.length, "CPU")}`,
    needed: "a host CPU for each vCPU, or they take turns",
    fix: 'name more host CPUs, or accept the sharing with "overcommit": true',
  });
}

function refuseHeld(draft: Draft, pinned: readonly PinEntry[], group: StarvedGroup): void {
  const vcpus = group.members.map((index) => pinned[index]?.vcpu ?? 0).sort((a, b) => a - b);
  const wanted = idUnion([...new Set(group.members.map((index) => pinned[index]?.hostCpus ?? []))]);
  const holders = draft.ledger.flatMap((holding) => {
    const shared = idIntersection(wanted, holding.exclusiveCpus);
    return shared.length > 0 ? [`${holding.vm} has ${formatIdSet(shared)}`] : [];
  });
  draft.refuse("HOST_CPUS_SHORT", commonPath(pinned, group), {
    found: `vCPU ${formatIdSet(vcpus)} on host CPU ${formatIdSet(wanted)}, of which ${holders.join(" and ")}: ${count(vcpus.length, "vCPU")} on ${count(group.choices.length, "free CPU")}`,
    needed: "a host CPU for each vCPU that no other VM has for itself",
    fix: 'pin to other CPUs, stop that VM, or accept the sharing with "overcommit": true',
  });
}

/** The one key that pins all of them, or the pins as a whole. */
function commonPath(pinned: readonly PinEntry[], { members }: StarvedGroup): JsonPath {
  const keys = new Set(members.map((index) => pinned[index]?.key ?? ""));
  return ["pinning", "vcpus", ...(keys.size === 1 ? keys : [])];
}

/** Warns about vCPUs away from the memory of their cell. */
class Locality {
  private readonly draft: Draft;
  private readonly cellOf = new Map<number, Cell>();
  private readonly local = new Map<Cell, ReadonlySet<number>>();

  constructor(draft: Draft, cells: readonly Cell[]) {
    this.draft = draft;
    for (const cell of cells) {
      const nodes = draft.host.nodes.filter((node) => cell.hostNodes?.includes(node.id));
      const local = new Set(nodes.flatMap((node) => node.cpus));
      // Where the memory's node has no CPUs, every CPU is away from it.
      if (cell.memoryBytes === 0 || local.size === 0) continue;
      this.local.set(cell, local);
      for (const id of cell.vcpus) this.cellOf.set(id, cell);
    }
  }

  check(path: JsonPath, vcpus: IdSet, hostCpus: IdSet): void {
    for (const cell of new Set(vcpus.flatMap((id) => this.cellOf.get(id) ?? []))) {
      const local = this.local.get(cell) ?? new Set();
      const distant = hostCpus.filter((id) => !local.has(id));
      if (distant.length === 0) continue;
      this.draft.warn("HOST_NODE_ABSENT", path, {
        found: `vCPU ${formatIdSet(idIntersection(vcpus, cell.vcpus))} may run on host CPU ${formatIdSet(distant)}, away from the memory of cell ${cell.id} on host node ${formatIdSet(cell.hostNodes ?? [])}`,
        needed: `host CPUs of that node: ${formatIdSet([...local].sort((a, b) => a - b))}`,
        fix: "pin the vCPUs to the node's CPUs, or bind the cell to the CPUs' node",
      });
    }
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
