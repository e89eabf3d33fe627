import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import { type PciFunction, readFunctionAcs, readPci } from "../host/index.ts";
import type { System } from "../system/index.ts";
import {
  type AcsChange,
  type AcsPort,
  applyAcs,
  checkMayWrite,
  ensureRunRoot,
  type KeptControls,
  readKept,
  restoreAcs,
  runRoot,
  withLedgerLock,
} from "../vm/index.ts";
import { findHost } from "./host.ts";
import { addressesOf } from "./vfio.ts";

/** A port or NIC of the host. */
export interface AcsFunction
  extends Pick<PciFunction, "address" | "kind" | "class" | "vendor" | "device" | "node" | "acs" | "ats"> {
  /** Its control register before `acs apply` changed it; absent for one that was not changed. */
  readonly before?: number;
}

/** Every port and NIC, with what it has of ACS and ATS. @throws QlaunchError HOST_SNAPSHOT */
export async function listAcs(
  system: System,
  { snapshot }: { readonly snapshot?: string | undefined },
): Promise<{ functions: AcsFunction[]; warnings: readonly Diagnostic[] }> {
  const pci = snapshot === undefined ? readPci(system.files).pci : await snapshotPci(system, snapshot);
  const kept: KeptControls = snapshot === undefined ? keptControls(system) : new Map();
  const listed = pci.filter((each) => isPort(each) || each.class.startsWith("02"));
  const functions = listed.map((each): AcsFunction => {
    const { address, kind, class: code, vendor, device, node, acs, ats } = each;
    const before = kept.get(address);
    return {
      address,
      kind,
      class: code,
      vendor,
      device,
      node,
      ...(acs === undefined ? {} : { acs }),
      ...(ats === undefined ? {} : { ats }),
      ...(before === undefined ? {} : { before }),
    };
  });
  const isClosed = snapshot === undefined && system.user.uid !== 0;
  return { functions, warnings: isClosed && functions.length > 0 ? [closedConfig(system)] : [] };
}

/**
 * Lets translated requests stay below switches: root ports and downstream ports that have ACS, all or none.
 * @param given ports by address; none for all of the machine
 * @throws QlaunchError USAGE, HOST_ACS, HOST_DEVICE_ABSENT
 */
export async function applyPortAcs(
  system: System,
  given: readonly string[],
  emit: EventSink,
): Promise<AcsChange[]> {
  const addresses = addressesOf(given);
  return withLock(system, "qlaunch acs apply", (root) => {
    const { pci } = readPci(system.files);
    const wanted = addresses.length === 0 ? pci.filter(isChangeable) : portsNamed(pci, addresses);
    const ports = wanted.flatMap(({ address }) => portAt(system, address) ?? []);
    refuseWithout(wanted, ports, addresses.length > 0);
    return applyAcs(system, root, ports, emit);
  });
}

/**
 * Puts back what ports had before `applyPortAcs` changed them for the first time since the machine started.
 * @param given ports by address; none for all that were changed
 * @throws QlaunchError USAGE, HOST_ACS
 */
export async function restorePortAcs(
  system: System,
  given: readonly string[],
  emit: EventSink,
): Promise<AcsChange[]> {
  const addresses = addressesOf(given);
  return withLock(system, "qlaunch acs restore", (root) => {
    const kept = [...readKept(system.files, root).keys()];
    const unchanged = addresses.filter((address) => !kept.includes(address));
    if (unchanged.length > 0) {
      throw refusal("HOST_ACS", {
        found: `${unchanged.join(", ")}, of which nothing is kept`,
        needed: "ports that qlaunch acs apply has changed since the machine started",
        fix: kept.length === 0 ? "there are none" : `name these: ${kept.join(", ")}`,
      });
    }
    const wanted = addresses.length === 0 ? kept : addresses;
    const { pci } = readPci(system.files);
    const gone = wanted.filter((address) => !pci.some((each) => each.address === address));
    const ports = wanted.flatMap((address) => portAt(system, address) ?? []);
    return restoreAcs(system, root, { ports, gone }, emit);
  });
}

function isPort({ kind }: PciFunction): boolean {
  return kind === "root-port" || kind === "upstream-port" || kind === "downstream-port";
}

/** An upstream port sends nothing to its siblings. */
function isChangeable({ kind }: PciFunction): boolean {
  return kind === "root-port" || kind === "downstream-port";
}

function portAt(system: System, address: string): AcsPort | undefined {
  const acs = readFunctionAcs(system.files, address);
  return acs && { address, ...acs };
}

/** @throws QlaunchError for all that are none */
function portsNamed(pci: readonly PciFunction[], addresses: readonly string[]): PciFunction[] {
  const problems: Diagnostic[] = [];
  const found = addresses.flatMap((address) => {
    const fn = pci.find((each) => each.address === address);
    if (fn && isChangeable(fn)) return [fn];
    const { diagnostics } =
      fn === undefined
        ? refusal("HOST_DEVICE_ABSENT", {
            found: `there is no PCI function ${address}`,
            needed: "a port of this host",
            fix: "qlaunch acs show lists them",
          })
        : refusal("HOST_ACS", {
            found: `${address} is ${fn.kind === "endpoint" ? "a device" : `of the kind ${fn.kind}`}`,
            needed: "a root port, or a downstream port of a switch",
            fix: "name the port above it; qlaunch acs show lists them",
          });
    problems.push(...diagnostics);
    return [];
  });
  if (problems.length > 0) throw new QlaunchError(problems);
  return found;
}

/** Of ports that are named, each has to have it; of all of the machine, some. */
function refuseWithout(wanted: readonly PciFunction[], ports: readonly AcsPort[], isNamed: boolean): void {
  const without = wanted.filter(({ address }) => !ports.some((port) => port.address === address));
  if (isNamed ? without.length === 0 : ports.length > 0) return;
  throw refusal("HOST_ACS", {
    found: isNamed
      ? `${without.map(({ address }) => address).join(", ")} without the capability ACS`
      : `none of the ${wanted.length} root ports and downstream ports of this host has the capability ACS`,
    needed: "ports with access control",
    fix: isNamed
      ? "leave them out"
      : "switch ACS on in the firmware, when it has a setting for it; a virtual machine shows what it was given",
  });
}

async function snapshotPci(system: System, snapshot: string): Promise<readonly PciFunction[]> {
  const question = { snapshot, kvm: false, firmware: false, pci: true, requireQemu: false, mayStart: false };
  return (await findHost(system, question)).pci ?? [];
}

/** Whoever has no run directory has changed nothing. */
function keptControls(system: System): KeptControls {
  return system.user.uid === 0 ? readKept(system.files, runRoot(system)) : new Map();
}

function closedConfig(system: System): Diagnostic {
  const [problem] = refusal("HOST_ACS", {
    found: `you are user ${system.user.uid}, to whom config space shows neither ACS nor ATS`,
    needed: "root, to see what ports and NICs have",
    fix: "run it as root",
  }).diagnostics;
  return { ...(problem as Diagnostic), severity: "warning" };
}

function withLock<T>(system: System, doing: string, work: (root: string) => Promise<T>): Promise<T> {
  checkMayWrite(system);
  const root = runRoot(system);
  ensureRunRoot(system, root);
  return withLedgerLock(system, root, doing, () => work(root));
}
