import type { PassedFunction, PlacedCell, Plan } from "../plan/types.ts";
import type { PassthroughEntry, Profile } from "../profile/index.ts";
import { describeByteSize, formatIdSet, type IdSet } from "../units/index.ts";
import { probePort } from "../verify/index.ts";
import { fitPassthrough, fitPinning, leftOut } from "./inner-parts.ts";
import { innerMemoryBytes, innerVcpus, nodesOfCell, type Scale } from "./scale.ts";

/** What the guest of a rehearsal boots from: the probe. */
export interface GuestImages {
  readonly kernel: string;
  readonly initrd: string;
}

/** The guest as it runs on the simulated host. */
export interface RehearsedGuest {
  /** A profile but for the addresses of its passed-through devices. */
  readonly profile: Readonly<Record<string, unknown>>;
  /** Those devices: the stand-in that each of them is, and the entry without an address. */
  readonly devices: readonly RehearsedDevice[];
  /** What was made smaller, exchanged or left out. */
  readonly notes: readonly string[];
}

export interface RehearsedDevice {
  /** Id of the stand-in, in the simulated host's plan. */
  readonly standIn: string;
  readonly entry: Readonly<Record<string, unknown>>;
}

/**
 * The profile made to fit the simulated host: the same cells, the same tree and the same devices under the same ids,
 * with few vCPUs, little memory and nothing that needs files or networks of the real host.
 */
export function fitGuest(profile: Profile, plan: Plan, scale: Scale, images: GuestImages): RehearsedGuest {
  const { cells } = plan.placement;
  const counts = innerVcpus(scale, cells);
  const cpus = fitCpus(profile, plan, scale, counts);
  const bytes = cells.map((cell) => innerMemoryBytes(cells, cell));
  const memoryBytes = bytes.reduce((sum, size) => sum + size, 0);
  const pinning = fitPinning(profile, plan, scale, cpus.counts);
  const devices = plan.run.passthrough.flatMap((fn) => fitDevice(profile, plan, fn));
  return {
    profile: {
      version: 1,
      name: profile.name,
      machine: { accel: "kvm", ...(profile.machine.viommu ? { viommu: profile.machine.viommu } : {}) },
      cpus: {
        boot: cpus.total,
        model: "host",
        topology: cpus.topology,
        hotpluggable: profile.cpus.hotpluggable,
      },
      memory: { size: memoryBytes },
      ...(profile.numa ? { numa: { cells: fitCells(profile, scale, cells, cpus.counts, bytes) } } : {}),
      pinning: pinning.value,
      pcie: { ...profile.pcie, mmio64: "auto" },
      passthrough: fitPassthrough(profile),
      standIns: profile.standIns,
      consoles: [{ type: "serial" }, { type: "channel", name: probePort }],
      guestAgent: false,
      kernel: { image: images.kernel, initrd: images.initrd, cmdline: "console=ttyS0 quiet" },
    },
    devices,
    notes: [
      `guest: ${plan.placement.vcpus.length} vCPUs -> ${cpus.total}, ${describeByteSize(totalBytes(cells))} -> ${describeByteSize(memoryBytes)}`,
      ...pinning.notes,
      ...leftOut(profile),
    ],
  };
}

const totalBytes = (cells: readonly PlacedCell[]) =>
  cells.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);

interface FittedCpus {
  readonly counts: readonly number[];
  readonly total: number;
  readonly topology: { readonly sockets: number; readonly cores: number; readonly threads: number };
}

/** Cores stay cores of two threads where every cell gets whole ones; a cell is a socket where all are alike. */
function fitCpus(profile: Profile, plan: Plan, scale: Scale, shares: readonly number[]): FittedCpus {
  const wanted = plan.placement.vcpus.some(({ thread }) => thread > 0) && scale.threads === 2;
  // The share of a cell by cores: half as many vCPUs where each gets both threads of one.
  const halved = profile.pinning.granularity === "core" && !wanted ? scale.threads : 1;
  const counts = shares.map((count) => (count === 0 ? 0 : Math.max(1, Math.floor(count / halved))));
  const present = counts.filter((count) => count > 0);
  const threads = wanted && present.every((count) => count % 2 === 0) ? 2 : 1;
  const total = present.reduce((sum, count) => sum + count, 0);
  const alike = new Set(present).size === 1;
  const sockets = alike ? present.length : 1;
  return { counts, total, topology: { sockets, cores: total / sockets / threads, threads } };
}

function fitCells(
  profile: Profile,
  scale: Scale,
  cells: readonly PlacedCell[],
  counts: readonly number[],
  bytes: readonly number[],
): object[] {
  let next = 0;
  return cells.map((cell, index) => {
    const count = counts[index] ?? 0;
    const first = next;
    next += count;
    const given = profile.numa?.cells?.[index];
    return {
      cpus: count === 0 ? "" : formatIdSet(numbers(first, count)),
      memory: bytes[index],
      ...(cell.hostNodes ? { hostNodes: simulatedNodes(scale, cell) } : {}),
      ...(given?.policy ? { policy: given.policy } : {}),
      ...(cell.distances ? { distances: cell.distances } : {}),
    };
  });
}

const numbers = (first: number, count: number): IdSet =>
  Array.from({ length: count }, (_, index) => first + index);

function simulatedNodes(scale: Scale, cell: PlacedCell): string {
  return formatIdSet(nodesOfCell(scale, cell).map(({ simulated }) => simulated));
}

/** The entry that asked for a function, now for this one alone, under the id that the plan gave it. */
function fitDevice(profile: Profile, plan: Plan, fn: PassedFunction): RehearsedDevice[] {
  const { deviceId, profilePath, vendor, device } = fn;
  if (deviceId === undefined) return [];
  const { bus, clique, attach, rom = true, identity } = entryAt(profile, profilePath) ?? {};
  // A companion comes by the entry of another device, whose clique is not its own.
  const planned = cliqueOf(plan, deviceId);
  const isOthers = typeof clique === "number" && planned === undefined;
  // A CDI file, which the guest's profile does not name, may have the number.
  const own = clique ?? (profile.passthrough.clique === "auto" ? undefined : planned);
  return [
    {
      standIn: deviceId,
      entry: {
        id: deviceId,
        ...(bus === undefined ? {} : { bus }),
        ...(own === undefined || isOthers ? {} : { clique: own }),
        ...(isBehindBridge(plan, deviceId)
          ? { attach: "pci" }
          : attach === undefined
            ? {}
            : { attach: "pcie" }),
        rom,
        identity: identity ?? { vendor, device },
      },
    },
  ];
}

/** Here each function has an entry of its own. */
function isBehindBridge({ devices }: Plan, deviceId: string): boolean {
  const bus = devices.find(({ id }) => id === deviceId)?.bus;
  return devices.some(({ id, driver }) => id === bus && driver === "pcie-pci-bridge");
}

function cliqueOf({ options }: Plan, deviceId: string): number | undefined {
  const device = options.find((option) => option.option === "device" && option.id === deviceId);
  const clique = device?.option === "device" ? device.properties["x-nv-gpudirect-clique"] : undefined;
  return typeof clique === "number" ? clique : undefined;
}

function entryAt(profile: Profile, path: readonly (string | number)[]): PassthroughEntry | undefined {
  const [, list, index] = path;
  return list === "devices" && typeof index === "number" ? profile.passthrough.devices[index] : undefined;
}
