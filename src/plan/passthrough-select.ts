import { formatJsonPath, type JsonPath } from "../errors/index.ts";
import type { PciFunction } from "../host/topology.ts";
import { type AnnotatedDevice, type PassthroughEntry, pciClasses } from "../profile/index.ts";
import { closest } from "../units/index.ts";
import type { Draft } from "./draft.ts";

/** An entry of the profile and where it stands. */
export interface EntryAt {
  readonly entry: PassthroughEntry;
  readonly path: JsonPath;
}

/** A function of the host that the guest gets. */
export interface ChosenFunction extends EntryAt {
  readonly fn: PciFunction;
  /** The address of the function for whose IOMMU group it comes along; undefined for one that the profile names. */
  readonly companionOf?: string;
  /** What a CDI file says of it; the entry comes first. */
  readonly annotated?: AnnotatedDevice;
}

type Selector = Extract<PassthroughEntry, { select: unknown }>["select"];

/** Addresses in a message, before it says how many more there are. */
const listedAddresses = 4;

/**
 * The functions that the entries name, in their order; those of a selector in the order of the addresses. Each is
 * chosen once.
 */
export function selectFunctions(draft: Draft, entries: readonly EntryAt[]): ChosenFunction[] {
  const { pci } = draft.host;
  if (!pci) {
    if (entries.length > 0) refuseUnknownHost(draft);
    return [];
  }
  const owners = new Map<string, JsonPath>();
  return entries.flatMap(({ entry, path }) => {
    const found =
      "address" in entry
        ? oneFunction(draft, pci, entry.address, [...path, "address"])
        : fittingFunctions(draft, pci, entry.select, [...path, "select"]);
    const again = found.filter(({ address }) => owners.has(address));
    refuseAgain(draft, entry, path, again, owners);
    const fresh = found.filter(({ address }) => !owners.has(address));
    for (const { address } of fresh) owners.set(address, path);
    return fresh.map((fn) => ({ fn, entry, path }));
  });
}

/** Ports and bridges stay with the host; NVSwitches and the like call themselves bridges and are none (class 0680). */
export function isPassable({ kind, class: code }: PciFunction): boolean {
  return kind === "endpoint" && (!code.startsWith("06") || code.startsWith("0680"));
}

/** The sum of its memory BARs, the expansion ROM among them. */
export function deviceMemoryBytes({ bars }: PciFunction): number {
  return bars.reduce((sum, bar) => sum + (bar.kind === "io" ? 0 : bar.sizeBytes), 0);
}

/** "0000:19:00.0, 0000:1a:00.0 and 3 more". */
export function listAddresses(functions: readonly PciFunction[]): string {
  const listed = functions.slice(0, listedAddresses).map(({ address }) => address);
  const more = functions.length - listed.length;
  return `${listed.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** @param name what the user knows it by, in messages */
export function oneFunction(
  draft: Draft,
  pci: readonly PciFunction[],
  address: string,
  path: JsonPath,
  name = address,
): PciFunction[] {
  const fn = pci.find((candidate) => candidate.address === address);
  if (fn && isPassable(fn)) return [fn];
  if (fn) {
    const below = pci.filter((candidate) => isPassable(candidate) && isBelow(pci, candidate, fn));
    draft.refuse("HOST_DEVICE_KIND", path, {
      found: `${name}, which is ${describeKind(fn)}`,
      needed: "a device: ports and bridges stay with the host",
      fix: below.length > 0 ? `name what is below it: ${listAddresses(below)}` : "name a device",
    });
    return [];
  }
  const devices = pci.filter(isPassable).map((candidate) => candidate.address);
  const near = closest(address, devices);
  draft.refuse("HOST_DEVICE_ABSENT", path, {
    found: `${name}, which this host does not have`,
    needed: "a PCI device of this host",
    fix: near === undefined ? 'name one that "qlaunch host show" lists' : `did you mean "${near}"?`,
  });
  return [];
}

function fittingFunctions(
  draft: Draft,
  pci: readonly PciFunction[],
  select: Selector,
  path: JsonPath,
): PciFunction[] {
  const passable = pci.filter(isPassable);
  const fitting = passable.filter((fn) => fits(fn, select));
  if (fitting.length > 0) return fitting;
  const keys = Object.keys(select) as (keyof Selector)[];
  const hint = keys.flatMap((key) => {
    const { [key]: _, ...wider } = select;
    const count = passable.filter((fn) => fits(fn, wider)).length;
    return count > 0 ? `without ${key} it fits ${count}` : [];
  })[0];
  draft.refuse("PASSTHROUGH_SELECTION", path, {
    found: `no device of this host with ${keys.map((key) => `${key} ${select[key]}`).join(", ")}`,
    needed: "one or more devices that fit all of it",
    fix: `${hint === undefined ? "" : `${hint}; `}"qlaunch host show" lists the devices`,
  });
  return [];
}

function fits(fn: PciFunction, select: Selector): boolean {
  const { vendor, device, numaNode } = select;
  const prefix = select.class === undefined ? "" : classPrefix(select.class);
  return (
    (vendor === undefined || fn.vendor === vendor) &&
    (device === undefined || fn.device === device) &&
    (numaNode === undefined || fn.node === numaNode) &&
    fn.class.startsWith(prefix)
  );
}

function classPrefix(name: string): string {
  return Object.hasOwn(pciClasses, name) ? pciClasses[name as keyof typeof pciClasses] : name;
}

function refuseAgain(
  draft: Draft,
  entry: PassthroughEntry,
  path: JsonPath,
  again: readonly PciFunction[],
  owners: ReadonlyMap<string, JsonPath>,
): void {
  const [first] = again;
  if (!first) return;
  const other = owners.get(first.address) ?? [];
  draft.refuse("PASSTHROUGH_SELECTION", [...path, "address" in entry ? "address" : "select"], {
    found: `${listAddresses(again)} a second time; ${formatJsonPath(other)} has ${again.length === 1 ? "it" : "the first"}`,
    needed: "each device once",
    fix: "take one of the entries out, or make a selector narrower",
  });
}

export function refuseUnknownHost(draft: Draft, path: JsonPath = ["passthrough", "devices"]): void {
  draft.refuse("HOST_DEVICE_ABSENT", path, {
    found: "a host of which no PCI devices are known",
    needed: "a host with its PCI devices",
    fix: 'record it anew: "qlaunch host snapshot"',
  });
}

function isBelow(pci: readonly PciFunction[], fn: PciFunction, bridge: PciFunction): boolean {
  for (let parent = fn.parent; parent !== undefined; ) {
    if (parent === bridge.address) return true;
    parent = pci.find((candidate) => candidate.address === parent)?.parent;
  }
  return false;
}

function describeKind({ kind, class: code }: PciFunction): string {
  switch (kind) {
    case "root-port":
      return "a root port";
    case "upstream-port":
      return "the upstream port of a switch";
    case "downstream-port":
      return "the downstream port of a switch";
    case "bridge":
      return "a bridge";
    case "endpoint":
      return code.startsWith("0600") ? "a host bridge" : "a bridge of the board";
  }
}
