import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import { type Ledger, type PciFunction, readPci } from "../host/index.ts";
import { choosePassthrough } from "../plan/passthrough.ts";
import { isPassable } from "../plan/passthrough-select.ts";
import { profileSchema } from "../profile/schema.ts";
import type { System } from "../system/index.ts";
import { formatPciAddress, parsePciAddress } from "../units/index.ts";
import {
  bindByHand,
  type DriverChange,
  ensureRunRoot,
  readLedger,
  runRoot,
  unbindByHand,
  withLedgerLock,
} from "../vm/index.ts";
import { liveDraft } from "./live-plan.ts";
import { usage } from "./usage.ts";

/** A function of the host, and the VM that has it. */
export interface HostFunction
  extends Pick<
    PciFunction,
    "address" | "iommuGroup" | "kind" | "class" | "vendor" | "device" | "node" | "driver" | "hostUse"
  > {
  readonly vm?: string;
}

/**
 * Functions that guests can be given, by IOMMU group.
 * @param all those that cannot as well: ports, bridges, functions of the board
 */
export function listHostFunctions(system: System, { all }: { readonly all: boolean }): HostFunction[] {
  const holders = holdersOf(readLedger(system));
  const { pci } = readPci(system.files);
  const listed = pci.filter((each) => all || (isPassable(each) && each.iommuGroup !== undefined));
  return listed
    .map((each): HostFunction => {
      const { address, iommuGroup, kind, class: code, vendor, device, node, driver, hostUse } = each;
      const vm = holders.get(address);
      return {
        address,
        ...(iommuGroup === undefined ? {} : { iommuGroup }),
        kind,
        class: code,
        vendor,
        device,
        node,
        ...(driver === undefined ? {} : { driver }),
        ...(hostUse === undefined ? {} : { hostUse }),
        ...(vm === undefined ? {} : { vm }),
      };
    })
    .sort((a, b) => (a.iommuGroup ?? withoutGroup) - (b.iommuGroup ?? withoutGroup));
}

/** Sorts behind all groups. */
const withoutGroup = Number.MAX_SAFE_INTEGER;

/** The VM of each function that one has. */
function holdersOf(ledger: Ledger): Map<string, string> {
  return new Map(
    ledger.flatMap(({ vm, pciFunctions = [] }) => pciFunctions.map((address) => [address, vm] as const)),
  );
}

/**
 * Binds functions to vfio-pci for no VM in particular, by the rules for those of a profile: all of them, or none.
 * @throws QlaunchError USAGE, HOST_IOMMU, HOST_IOMMU_GROUP and those of devices of the host
 */
export async function bindFunctions(
  system: System,
  given: readonly string[],
  emit: EventSink,
): Promise<DriverChange[]> {
  const addresses = addressesOf(given);
  return withLedger(system, "qlaunch vfio bind", async (ledger) => {
    const host = readPci(system.files);
    const problems = problemsOf(system, addresses, host, ledger);
    if (problems.length > 0) throw new QlaunchError(problems);
    const wanted = host.pci.filter(({ address }) => addresses.includes(address));
    return bindByHand(
      system,
      wanted.map((each) => ({ ...each, profilePath: [] })),
      emit,
    );
  });
}

/** The planner's own, in words for people who have no profile at hand. */
function problemsOf(
  system: System,
  addresses: readonly string[],
  host: ReturnType<typeof readPci>,
  ledger: Ledger,
): Diagnostic[] {
  const profile = profileSchema.parse({
    ...smallest,
    passthrough: { devices: addresses.map((address) => ({ address })) },
  });
  const draft = liveDraft(system, { ...profile, name: "" }, {}, { ...host, ledger });
  choosePassthrough(draft);
  return draft.problems
    .filter(({ severity }) => severity === "error")
    .map((problem) => ({ ...problem, path: [], ...wholeGroupFix(problem) }));
}

const smallest = { version: 1, name: "vm", cpus: { boot: 1 }, memory: { size: "1G" } };

/** Where there is no profile to change. */
export function wholeGroupFix({ code }: Diagnostic): Partial<Diagnostic> {
  if (code !== "HOST_IOMMU_GROUP") return {};
  return {
    fix: "bind the whole group beforehand (qlaunch vfio list --all shows it), or move the card to another slot",
  };
}

/**
 * Gives functions that are on vfio-pci to the drivers that the kernel finds for them: all of them, or none.
 * @throws QlaunchError USAGE, HOST_DEVICE_ABSENT, HOST_DEVICE_BUSY, HOST_DEVICE_DEAD, HOST_DEVICE_BIND
 */
export async function unbindFunctions(
  system: System,
  given: readonly string[],
  emit: EventSink,
): Promise<DriverChange[]> {
  const addresses = addressesOf(given);
  return withLedger(system, "qlaunch vfio unbind", async (ledger) => {
    const holders = holdersOf(ledger);
    const held = addresses.flatMap((address): Diagnostic[] => {
      const vm = holders.get(address);
      if (vm === undefined) return [];
      return [
        {
          code: "HOST_DEVICE_BUSY",
          severity: "error",
          path: [],
          found: `${address}, which ${vm} has`,
          needed: "a device that no VM has",
          fix: `qlaunch down ${vm} gives it back; or take it out: qlaunch device remove ${vm}`,
        },
      ];
    });
    if (held.length > 0) throw new QlaunchError(held);
    return unbindByHand(system, addresses, emit);
  });
}

/** No VM can take a device meanwhile. */
function withLedger<T>(system: System, doing: string, work: (ledger: Ledger) => Promise<T>): Promise<T> {
  const root = runRoot(system);
  ensureRunRoot(system, root);
  return withLedgerLock(system, root, doing, () => work(readLedger(system)));
}

/** As sysfs spells them, each once. @throws QlaunchError USAGE for all that are none */
export function addressesOf(given: readonly string[]): string[] {
  const readings = given.map((text) => ({ text, address: parsePciAddress(text) }));
  const wrong = readings.filter(({ address }) => address === undefined).map(({ text }) => `"${text}"`);
  if (wrong.length > 0) {
    throw usage(
      `${wrong.join(", ")}, which ${wrong.length === 1 ? "is no PCI address" : "are no PCI addresses"}`,
      'addresses such as "0000:19:00.0", or "19:00.0" in domain 0',
      "qlaunch vfio list shows them",
    );
  }
  return [...new Set(readings.flatMap(({ address }) => (address ? [formatPciAddress(address)] : [])))];
}
