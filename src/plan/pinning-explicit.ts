import type { JsonPath } from "../errors/index.ts";
import { formatIdSet, type IdSet, idIntersection, idUnion, parseIdSet } from "../units/index.ts";
import type { CpuPlan } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import type { HostCpuCheck } from "./host-cpus.ts";
import { canEachHaveOwn } from "./matching.ts";
import type { Cell } from "./numa.ts";
import type { Pin } from "./pinning.ts";

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
  const result = new Map<number, Pin>();
  for (const [key, hostCpus] of Object.entries(pins)) {
    const path = ["pinning", "vcpus", key];
    const vcpus = parseIdSet(key) ?? [];
    checkKey(draft, path, vcpus, max);
    checkOnce(draft, path, vcpus, result);
    hostCpuCheck.checkSome(hostCpus, path);
    locality.check(path, vcpus, hostCpus);
    for (const id of vcpus) {
      if (id < max) result.set(id, { hostCpus, exclusive: !overcommit && hostCpus.length === 1 });
    }
  }
  if (!overcommit) checkOwnCpus(draft, result);
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
function checkOwnCpus(draft: Draft, pins: ReadonlyMap<number, Pin>): void {
  const pinned = [...pins].filter(([, pin]) => pin.hostCpus.length > 0);
  const vcpus = pinned.map(([id]) => id);
  const sets = pinned.map(([, pin]) => pin.hostCpus);
  const starved = canEachHaveOwn(sets);
  if (starved) {
    const members = starved.members.map((index) => vcpus[index] ?? 0).sort((a, b) => a - b);
    draft.refuse("PINNING_CPU_TWICE", ["pinning", "vcpus"], {
      found: `vCPUs ${formatIdSet(members)} are pinned to host CPU ${formatIdSet(starved.choices)}: ${members.length} vCPUs on ${count(starved.choices.length, "CPU")}`,
      needed: "a host CPU for each vCPU, or they take turns",
      fix: 'name more host CPUs, or accept the sharing with "overcommit": true',
    });
    return;
  }
  const taken = new Set(draft.ledger.flatMap((holding) => holding.exclusiveCpus));
  if (taken.size === 0) return;
  const left = new Map([...new Set(sets)].map((set) => [set, set.filter((id) => !taken.has(id))]));
  const crowded = canEachHaveOwn(sets.map((set) => left.get(set) ?? []));
  if (!crowded) return;
  const members = crowded.members.map((index) => vcpus[index] ?? 0).sort((a, b) => a - b);
  const wanted = idUnion(crowded.members.map((index) => sets[index] ?? []));
  const holders = draft.ledger.flatMap((holding) => {
    const shared = idIntersection(wanted, holding.exclusiveCpus);
    return shared.length > 0 ? [`${holding.vm} has ${formatIdSet(shared)}`] : [];
  });
  draft.refuse("HOST_CPUS_SHORT", ["pinning", "vcpus"], {
    found: `vCPU ${formatIdSet(members)} on host CPU ${formatIdSet(wanted)}, of which ${holders.join(" and ")}: ${count(members.length, "vCPU")} on ${count(crowded.choices.length, "free CPU")}`,
    needed: "a host CPU for each vCPU that no other VM has for itself",
    fix: 'pin to other CPUs, stop that VM, or accept the sharing with "overcommit": true',
  });
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
