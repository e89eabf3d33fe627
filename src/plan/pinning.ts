import { formatIdSet, type IdSet, idDifference, idIntersection, idUnion } from "../units/index.ts";
import type { CpuPlan } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import { HostCpuCheck, onlineCpus } from "./host-cpus.ts";
import type { Cell } from "./numa.ts";
import { placeCells } from "./pinning-auto.ts";
import { placeExplicitly } from "./pinning-explicit.ts";
import { cellOfBus } from "./profile-ids.ts";

export interface Pin {
  readonly hostCpus: IdSet;
  /** No other vCPU, of this VM or another, has these CPUs. */
  readonly exclusive: boolean;
}

export interface PinningPlan {
  /** By vCPU number; a vCPU without an entry goes where the scheduler puts it. */
  readonly vcpus: ReadonlyMap<number, Pin>;
  /** Host CPUs that nobody shall have, so that vCPUs have their cores to themselves. */
  readonly idle: IdSet;
  readonly emulator: IdSet | undefined;
  readonly iothreads: readonly { readonly id: string; readonly hostCpus: IdSet | undefined }[];
}

/** Host CPUs of every vCPU up to the maximum, of QEMU's own threads and of the I/O threads. */
export function planPinning(draft: Draft, cpuPlan: CpuPlan, cells: readonly Cell[]): PinningPlan {
  const { pinning, iothreads } = draft.profile;
  const mode = pinning.vcpus ?? (cells.some((cell) => cell.hostNodes) ? "auto" : "none");
  const hostCpuCheck = new HostCpuCheck(draft);
  hostCpuCheck.check(draft.reserved, ["pinning", "reserve"], "warn");
  if (pinning.emulator) hostCpuCheck.checkSome(pinning.emulator, ["pinning", "emulator"]);
  checkIothreads(draft, hostCpuCheck);
  checkThreadPolicy(draft, mode === "auto");
  const { pins: vcpus, idle } =
    mode === "none"
      ? { pins: new Map<number, Pin>(), idle: [] }
      : mode === "auto"
        ? placeCells(draft, cpuPlan, cells)
        : { pins: placeExplicitly(draft, mode, cpuPlan, cells, hostCpuCheck), idle: [] };
  draft.decide("pinning", "pinning.vcpus", {
    value: describePins(vcpus),
    rule: {
      none: "vCPUs run where the host's scheduler puts them.",
      auto: `Each vCPU gets ${{ thread: "one host CPU", core: "a host core", node: "the CPUs" }[pinning.granularity]} of its cell's host node that nobody else has.`,
      explicit: "The profile's pins. vCPUs that share a set can each have a CPU of their own in it.",
    }[typeof mode === "string" ? mode : "explicit"],
    facts: [
      ...pinningFacts(draft),
      ...(idle.length > 0 ? [`host CPU ${formatIdSet(idle)} stays idle beside them`] : []),
    ],
    source: "affinity",
  });
  const emulator = pinning.emulator ?? (mode === "auto" ? spareCpus(draft, vcpus, idle, cells) : undefined);
  draft.decide("pinning", "pinning.emulator", {
    value: emulator ? `host CPU ${formatIdSet(emulator)}` : "left to the scheduler",
    rule: "QEMU's own threads and the I/O threads keep off the vCPUs' CPUs: the profile's choice, else the reserved CPUs, else those left on the nodes; an I/O thread's on the node of its disks.",
    source: "affinity",
  });
  const iothreadPins = new Map(Object.entries(pinning.iothreads));
  return {
    vcpus,
    idle,
    emulator,
    iothreads: iothreads.map((id) => ({
      id,
      hostCpus: iothreadPins.get(id) ?? nearDisks(draft, id, cells, emulator),
    })),
  };
}

/** Of the emulator's CPUs those on the nodes of the disks that the thread serves, where there are some. */
function nearDisks(
  { profile, host }: Draft,
  iothread: string,
  cells: readonly Cell[],
  emulator: IdSet | undefined,
): IdSet | undefined {
  const homes = profile.disks
    .filter((disk) => disk.iothread === iothread && disk.bus !== undefined)
    .flatMap(({ bus = "" }) => cells.find(({ id }) => id === cellOfBus(profile, bus))?.hostNodes ?? []);
  const near = host.nodes.filter(({ id }) => homes.includes(id)).map(({ cpus }) => cpus);
  const both = idIntersection(emulator ?? [], idUnion(near));
  return both.length > 0 ? both : emulator;
}

/** Only automatic pins of one host CPU each choose between threads of a core. */
function checkThreadPolicy(draft: Draft, isAuto: boolean): void {
  const { threadPolicy, granularity } = draft.profile.pinning;
  if (threadPolicy === "prefer" || (isAuto && granularity === "thread")) return;
  draft.warn("PROFILE_VALUE", ["pinning", "threadPolicy"], {
    found: `threadPolicy ${threadPolicy} with ${isAuto ? `granularity ${granularity}` : "pins that are not automatic"}`,
    needed: "automatic pins with granularity thread, or it changes nothing",
    fix: isAuto ? "leave one of them out" : 'write "vcpus": "auto", or leave threadPolicy out',
  });
}

function checkIothreads(draft: Draft, hostCpuCheck: HostCpuCheck): void {
  const { pinning, iothreads } = draft.profile;
  for (const [id, cpus] of Object.entries(pinning.iothreads)) {
    const path = ["pinning", "iothreads", id];
    hostCpuCheck.checkSome(cpus, path);
    if (iothreads.includes(id)) continue;
    draft.refuse("PINNING_UNKNOWN_IOTHREAD", path, {
      found: `a pin for the I/O thread "${id}"`,
      needed: iothreads.length > 0 ? `one of ${iothreads.join(", ")}` : "an I/O thread of the profile",
      fix: `add "${id}" to iothreads, or leave the pin out`,
    });
  }
}

/**
 * Where the emulator goes with automatic pinning. Isolated CPUs only when there are no others: several threads on
 * them would share the first, because the kernel moves none between them.
 */
function spareCpus(
  draft: Draft,
  vcpus: ReadonlyMap<number, Pin>,
  idle: IdSet,
  cells: readonly Cell[],
): IdSet | undefined {
  const { host, ledger } = draft;
  const reserved = idIntersection(draft.reserved, onlineCpus(host));
  if (reserved.length > 0) return reserved;
  const pinned = new Set([...vcpus.values()].map((pin) => pin.hostCpus));
  const used = idUnion([...pinned, idle, ...ledger.map((holding) => holding.exclusiveCpus)]);
  const nodes = new Set(cells.flatMap((cell) => cell.hostNodes ?? host.nodes.map((node) => node.id)));
  const onNodes = host.nodes.filter((node) => nodes.has(node.id)).map((node) => node.cpus);
  const spare = idDifference(idIntersection(idUnion(onNodes), onlineCpus(host)), used);
  const isolated = host.cpus.filter((cpu) => cpu.isolated).map((cpu) => cpu.id);
  const balanced = idDifference(spare, isolated);
  if (balanced.length > 0) return balanced;
  return spare.length > 0 ? spare : undefined;
}

function pinningFacts(draft: Draft): string[] {
  const { reserved } = draft;
  return [
    ...(reserved.length > 0 ? [`host CPU ${formatIdSet(reserved)} is reserved for the host`] : []),
    ...draft.ledger
      .filter((holding) => holding.exclusiveCpus.length > 0)
      .map((holding) => `${holding.vm} has host CPU ${formatIdSet(holding.exclusiveCpus)}`),
  ];
}

function describePins(pins: ReadonlyMap<number, Pin>): string {
  if (pins.size === 0) return "not pinned";
  const bySet = new Map<IdSet, number[]>();
  for (const [id, { hostCpus }] of [...pins].sort(([a], [b]) => a - b)) {
    const ids = bySet.get(hostCpus);
    if (ids) ids.push(id);
    else bySet.set(hostCpus, [id]);
  }
  return [...bySet].map(([set, ids]) => `${formatIdSet(ids)} on ${formatIdSet(set)}`).join("; ");
}
