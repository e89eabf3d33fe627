import {
  formatIdSet,
  type IdSet,
  idDifference,
  idIntersection,
  idUnion,
  parseIdSet,
} from "../units/index.ts";
import type { CpuPlan } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import { canEachHaveOwn } from "./matching.ts";
import type { Cell } from "./numa.ts";
import { placeCells } from "./pinning-auto.ts";
import { sources } from "./sources.ts";

export interface Pin {
  readonly hostCpus: IdSet;
  /** No other vCPU, of this VM or another, has these CPUs. */
  readonly exclusive: boolean;
}

export interface PinningPlan {
  /** By vCPU number; a vCPU without an entry goes where the scheduler puts it. */
  readonly vcpus: ReadonlyMap<number, Pin>;
  readonly emulator: IdSet | undefined;
  readonly iothreads: readonly { readonly id: string; readonly hostCpus: IdSet | undefined }[];
}

/** Host CPUs of every vCPU up to the maximum, of QEMU's own threads and of the I/O threads. */
export function planPinning(draft: Draft, cpuPlan: CpuPlan, cells: readonly Cell[]): PinningPlan {
  const { pinning, iothreads } = draft.profile;
  const mode = pinning.vcpus ?? (cells.some((cell) => cell.hostNodes) ? "auto" : "none");
  checkHostCpus(draft, pinning.reserve, ["pinning", "reserve"], "warn");
  if (pinning.emulator) checkHostCpus(draft, pinning.emulator, ["pinning", "emulator"]);
  for (const [id, cpus] of Object.entries(pinning.iothreads)) {
    checkHostCpus(draft, cpus, ["pinning", "iothreads", id]);
    if (!iothreads.includes(id)) {
      draft.refuse("PINNING_UNKNOWN_IOTHREAD", ["pinning", "iothreads", id], {
        found: `a pin for the I/O thread "${id}"`,
        needed: iothreads.length > 0 ? `one of ${iothreads.join(", ")}` : "an I/O thread of the profile",
        fix: `add "${id}" to iothreads, or leave the pin out`,
      });
    }
  }
  const vcpus =
    mode === "none"
      ? new Map<number, Pin>()
      : mode === "auto"
        ? placeCells(draft, cpuPlan, cells)
        : planExplicit(draft, mode, cpuPlan, cells);
  draft.decide("pinning", "pinning.vcpus", {
    value: describePins(vcpus),
    rule: {
      none: "vCPUs run where the host's scheduler puts them.",
      auto: `Each vCPU gets ${{ thread: "one host CPU", core: "a host core", node: "the CPUs" }[pinning.granularity]} of its cell's host node that nobody else has.`,
      explicit: "The profile's pins. vCPUs that share a set can each have a CPU of their own in it.",
    }[typeof mode === "string" ? mode : "explicit"],
    facts: pinningFacts(draft),
    source: sources.affinity,
  });
  const emulator = pinning.emulator ?? (mode === "auto" ? spareCpus(draft, vcpus, cells) : undefined);
  draft.decide("pinning", "pinning.emulator", {
    value: emulator ? `host CPU ${formatIdSet(emulator)}` : "left to the scheduler",
    rule: "QEMU's own threads and the I/O threads keep off the vCPUs' CPUs: the profile's choice, else the reserved CPUs, else those left on the nodes.",
    source: sources.affinity,
  });
  return {
    vcpus,
    emulator,
    iothreads: iothreads.map((id) => ({ id, hostCpus: pinning.iothreads[id] ?? emulator })),
  };
}

function planExplicit(
  draft: Draft,
  pins: Readonly<Record<string, IdSet>>,
  { max }: CpuPlan,
  cells: readonly Cell[],
): Map<number, Pin> {
  const { overcommit } = draft.profile.pinning;
  const result = new Map<number, Pin>();
  for (const [key, hostCpus] of Object.entries(pins)) {
    const path = ["pinning", "vcpus", key];
    const vcpus = parseIdSet(key) ?? [];
    const beyond = vcpus.filter((id) => id >= max);
    if (beyond.length > 0) {
      draft.refuse("PINNING_BEYOND_MAX", path, {
        found: `a pin for vCPU ${formatIdSet(beyond)}, and the guest has 0-${max - 1}`,
        needed: `vCPUs below ${max}`,
        fix: "leave the pin out, or raise cpus.max",
      });
    }
    const twice = vcpus.filter((id) => result.has(id));
    if (twice.length > 0 || hostCpus.length === 0) {
      draft.refuse("PINNING_CPU_TWICE", path, {
        found:
          hostCpus.length === 0 ? "an empty set of host CPUs" : `vCPU ${formatIdSet(twice)} is pinned twice`,
        needed: "one set of host CPUs for each vCPU",
        fix:
          hostCpus.length === 0 ? "name host CPUs, or leave the pin out" : "take it out of one of the keys",
      });
    }
    checkHostCpus(draft, hostCpus, path);
    for (const id of vcpus)
      if (id < max) result.set(id, { hostCpus, exclusive: !overcommit && hostCpus.length === 1 });
    warnAboutDistantMemory(draft, path, vcpus, hostCpus, cells);
  }
  if (!overcommit) {
    checkOwnCpus(draft, result);
    checkNeighbours(draft, pins);
  }
  return result;
}

/** Sets may be shared, as long as every vCPU can have a host CPU that no other has. */
function checkOwnCpus(draft: Draft, pins: ReadonlyMap<number, Pin>): void {
  const entries = [...pins.entries()].filter(([, pin]) => pin.hostCpus.length > 0);
  const starved = canEachHaveOwn(entries.map(([, pin]) => pin.hostCpus));
  if (!starved) return;
  const vcpus = starved.members.map((index) => entries[index]?.[0] ?? 0).sort((a, b) => a - b);
  draft.refuse("PINNING_CPU_TWICE", ["pinning", "vcpus"], {
    found: `vCPUs ${formatIdSet(vcpus)} are pinned to host CPU ${formatIdSet(starved.choices)}: ${vcpus.length} vCPUs on ${starved.choices.length} CPU${starved.choices.length === 1 ? "" : "s"}`,
    needed: "a host CPU for each vCPU, or they take turns",
    fix: 'name more host CPUs, or accept the sharing with "overcommit": true',
  });
}

function checkNeighbours(draft: Draft, pins: Readonly<Record<string, IdSet>>): void {
  for (const [key, hostCpus] of Object.entries(pins)) {
    const holders = draft.ledger.filter(
      (holding) => idDifference(hostCpus, holding.exclusiveCpus).length === 0,
    );
    const taken = idUnion(draft.ledger.map((holding) => holding.exclusiveCpus));
    if (hostCpus.length === 0 || idDifference(hostCpus, taken).length > 0) continue;
    const names = (
      holders.length > 0
        ? holders
        : draft.ledger.filter((holding) => idIntersection(hostCpus, holding.exclusiveCpus).length > 0)
    ).map((holding) => holding.vm);
    draft.refuse("HOST_CPUS_SHORT", ["pinning", "vcpus", key], {
      found: `host CPU ${formatIdSet(hostCpus)} belongs to ${names.join(", ")}`,
      needed: "host CPUs that no other VM has for itself",
      fix: 'pin to other CPUs, stop that VM, or accept the sharing with "overcommit": true',
    });
  }
}

function checkHostCpus(
  draft: Draft,
  cpus: IdSet,
  path: readonly string[],
  level: "refuse" | "warn" = "refuse",
): void {
  const online = new Set(draft.host.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.id));
  const present = new Set(draft.host.cpus.map((cpu) => cpu.id));
  const absent = cpus.filter((id) => !present.has(id));
  const offline = cpus.filter((id) => present.has(id) && !online.has(id));
  if (absent.length === 0 && offline.length === 0) return;
  const parts = [
    ...(absent.length > 0 ? [`host CPU ${formatIdSet(absent)} does not exist`] : []),
    ...(offline.length > 0 ? [`host CPU ${formatIdSet(offline)} is offline`] : []),
  ];
  draft[level]("HOST_CPU_ABSENT", path, {
    found: parts.join(", "),
    needed: `online CPUs of this host: ${formatIdSet([...online].sort((a, b) => a - b))}`,
    fix: "name CPUs that the host has (`qlaunch host show`)",
  });
}

function warnAboutDistantMemory(
  draft: Draft,
  path: readonly string[],
  vcpus: IdSet,
  hostCpus: IdSet,
  cells: readonly Cell[],
): void {
  for (const cell of cells) {
    const mine = idIntersection(vcpus, cell.vcpus);
    if (!cell.hostNodes || mine.length === 0 || cell.memoryBytes === 0) continue;
    const local = draft.host.nodes
      .filter((node) => cell.hostNodes?.includes(node.id))
      .flatMap((node) => node.cpus);
    const distant = idDifference(hostCpus, local);
    if (distant.length === 0 || local.length === 0) continue;
    draft.warn("HOST_NODE_ABSENT", path, {
      found: `vCPU ${formatIdSet(mine)} may run on host CPU ${formatIdSet(distant)}, away from the memory of cell ${cell.id} on host node ${formatIdSet(cell.hostNodes)}`,
      needed: `host CPUs of that node: ${formatIdSet(idUnion([local]))}`,
      fix: "pin the vCPUs to the node's CPUs, or bind the cell to the CPUs' node",
    });
  }
}

/** Where the emulator goes with automatic pinning. */
function spareCpus(draft: Draft, vcpus: ReadonlyMap<number, Pin>, cells: readonly Cell[]): IdSet | undefined {
  const { reserve } = draft.profile.pinning;
  const online = draft.host.cpus.filter((cpu) => cpu.online).map((cpu) => cpu.id);
  const reserved = idIntersection(reserve, online);
  if (reserved.length > 0) return reserved;
  const used = idUnion(
    [...vcpus.values()]
      .map((pin) => pin.hostCpus)
      .concat(draft.ledger.map((holding) => holding.exclusiveCpus)),
  );
  const nodes = new Set(cells.flatMap((cell) => cell.hostNodes ?? draft.host.nodes.map((node) => node.id)));
  const onNodes = draft.host.nodes.filter((node) => nodes.has(node.id)).flatMap((node) => node.cpus);
  const spare = idDifference(idUnion([onNodes]), used);
  return spare.length > 0 ? spare : undefined;
}

function pinningFacts(draft: Draft): string[] {
  const { reserve } = draft.profile.pinning;
  return [
    ...(reserve.length > 0 ? [`host CPU ${formatIdSet(reserve)} is reserved for the host`] : []),
    ...draft.ledger
      .filter((holding) => holding.exclusiveCpus.length > 0)
      .map((holding) => `${holding.vm} has host CPU ${formatIdSet(holding.exclusiveCpus)}`),
  ];
}

function describePins(pins: ReadonlyMap<number, Pin>): string {
  if (pins.size === 0) return "not pinned";
  const bySet = new Map<string, number[]>();
  for (const [id, pin] of [...pins].sort(([a], [b]) => a - b)) {
    const set = formatIdSet(pin.hostCpus);
    bySet.set(set, [...(bySet.get(set) ?? []), id]);
  }
  return [...bySet].map(([set, ids]) => `${formatIdSet(ids)} on ${set}`).join("; ");
}
