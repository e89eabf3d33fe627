import { type Diagnostic, failure, QlaunchError, type Result, refusal } from "../errors/index.ts";
import {
  addDevice,
  type DeviceOutcome,
  type LiveDevice,
  type LiveFacts,
  type LiveOptions,
  LiveSite,
  listDevices,
  type PlannedAddition,
  type PortWish,
  removeDevice,
} from "../hotplug/index.ts";
import { planDisks } from "../plan/disks.ts";
import { planNetworks } from "../plan/networks.ts";
import type { PropertyValue } from "../plan/options.ts";
import { type Disk, type Network, type Profile, resolvePath } from "../profile/index.ts";
import type { SectionReading } from "../profile/section.ts";
import type { System } from "../system/index.ts";
import { macAddressFor } from "../units/index.ts";
import { accelerator, checkId, finishDraft, freeId, keptProfile, liveDraft, usage } from "./live-plan.ts";

export type { DeviceOutcome, LiveDevice };
export { listDevices, removeDevice };

/** A device as the command line has it: one of disk, nic and object is given, as JSON text. */
export interface DeviceRequest {
  readonly disk: string | undefined;
  readonly nic: string | undefined;
  /** What device_add takes. */
  readonly object: string | undefined;
  readonly id: string | undefined;
  readonly bus: string | undefined;
  readonly numaCell: string | undefined;
}

type Planner = (
  profile: Profile,
  facts: LiveFacts,
  id: string | undefined,
  wish: PortWish,
) => Result<PlannedAddition>;

/** @throws QlaunchError USAGE, PROFILE_*, and those of `addDevice` in hotplug */
export async function addVmDevice(
  system: System,
  name: string,
  request: DeviceRequest,
  options: LiveOptions,
): Promise<DeviceOutcome> {
  if (request.id !== undefined) checkId(request.id);
  const wish = { bus: request.bus, cell: cellOf(request.numaCell) };
  const { plan, locate } = await plannerOf(system, name, request);
  return addDevice(system, name, options, async (facts) => {
    const result = plan(await keptProfile(system, name), facts, request.id, wish);
    return result.ok ? result : failure(await locate(result.diagnostics));
  });
}

async function plannerOf(
  system: System,
  name: string,
  request: DeviceRequest,
): Promise<{
  plan: Planner;
  locate: (diagnostics: readonly Diagnostic[]) => Promise<readonly Diagnostic[]>;
}> {
  const { disk, nic, object } = request;
  if ([disk, nic, object].filter((text) => text !== undefined).length !== 1) {
    throw usage(
      "none or several of --disk, --nic and an object for device_add",
      "one of them",
      `for example: qlaunch device add ${name} --disk '{"file": "data.qcow2", "format": "qcow2"}'`,
    );
  }
  const { parseSection } = await import("../profile/section.ts");
  if (disk !== undefined) {
    const reading = parseSection("disk", disk, "--disk");
    const value = requireValue(reading);
    return { plan: (...rest) => planDisk(system, value, ...rest), locate: below(reading, "disks") };
  }
  if (nic !== undefined) {
    const reading = parseSection("network", nic, "--nic");
    const value = requireValue(reading);
    return { plan: (...rest) => planNetwork(system, value, ...rest), locate: below(reading, "networks") };
  }
  const raw = parseObject(object ?? "");
  return { plan: (...rest) => planRaw(system, raw, ...rest), locate: async (diagnostics) => diagnostics };
}

function requireValue<Value>({ value, diagnostics }: SectionReading<Value>): Value {
  if (value === undefined || diagnostics.length > 0) throw new QlaunchError(diagnostics);
  return value;
}

/** The planners' paths begin with the list and the index in a profile; the text is only that one thing. */
function below(reading: SectionReading<unknown>, list: string) {
  return (diagnostics: readonly Diagnostic[]) =>
    reading.locate(
      diagnostics.map((problem) => ({
        ...problem,
        path: problem.path[0] === list ? problem.path.slice(2) : [],
      })),
    );
}

function planDisk(
  system: System,
  given: Omit<Disk, "id"> & { readonly id?: string | undefined },
  profile: Profile,
  facts: LiveFacts,
  flagId: string | undefined,
  wish: PortWish,
): Result<PlannedAddition> {
  const id = oneId(given.id, flagId) ?? freeId("disk", facts);
  const file = resolvePath(system.user.workingDirectory, given.file);
  const bus = given.bus ?? wish.bus;
  const disk: Disk = { ...given, id, file, bus };
  if (disk.device === "sata" || disk.device === "cdrom") {
    throw refusal("LIVE_DEVICE_KIND", {
      found: `a ${disk.device} disk for a running VM`,
      needed: "virtio-blk, virtio-scsi or nvme: the board's SATA ports take nothing while the guest runs",
      fix: 'write "device": "virtio-blk", or add it to the profile and start the VM again',
    });
  }
  if (disk.boot !== undefined) throw bootOrder("disk");
  const draft = liveDraft(system, profile, { disks: [disk] });
  const controllers =
    wish.cell === undefined
      ? facts.controllers
      : facts.controllers.filter((controller) => cellOfPort(facts, controller.bus) === wish.cell);
  planDisks(draft, new LiveSite(draft, facts.ports, wish), controllers);
  return finishDraft(draft, id);
}

const cellOfPort = ({ ports }: LiveFacts, port: string) => ports.find(({ id }) => id === port)?.cell;

function planNetwork(
  system: System,
  given: Omit<Network, "id"> & { readonly id?: string | undefined },
  profile: Profile,
  facts: LiveFacts,
  flagId: string | undefined,
  wish: PortWish,
): Result<PlannedAddition> {
  const id = oneId(given.id, flagId) ?? freeId("net", facts);
  const network: Network = { ...given, id, bus: given.bus ?? wish.bus };
  if (network.boot !== undefined) throw bootOrder("network");
  const { plan } = facts;
  const spawns = plan.options.some(
    (option) => option.option === "sandbox" && option.properties.spawn !== "deny",
  );
  const sandboxed = plan.options.some((option) => option.option === "sandbox");
  if (network.bridge !== undefined && sandboxed && !spawns) {
    throw refusal("LIVE_DEVICE_KIND", {
      found: `bridge ${network.bridge} for a running VM whose sandbox lets QEMU start no program`,
      needed: "a tap device, or a VM that was started with a bridge",
      fix: `make a tap device on the bridge and write "tap"; or add the network to the profile and start the VM again`,
    });
  }
  const draft = liveDraft(system, profile, { networks: [network] });
  const mac = network.mac ?? macAddressFor(profile.name, id);
  const other = [...facts.macs].find(([, address]) => address === mac)?.[0];
  if (other !== undefined) {
    draft.refuse("ID_DUPLICATE", ["networks", 0, network.mac === undefined ? "id" : "mac"], {
      found: `${mac} for ${id}, which ${other} has`,
      needed: "a MAC address of its own for each card",
      fix: "write another address, or leave mac out",
    });
  }
  const needs = planNetworks(draft, new LiveSite(draft, facts.ports, wish), accelerator(plan));
  return finishDraft(draft, id, needs);
}

/** QEMU's own words for a device: what it is and needs is outside of our checks. */
function planRaw(
  system: System,
  raw: Readonly<Record<string, unknown>>,
  profile: Profile,
  facts: LiveFacts,
  flagId: string | undefined,
  wish: PortWish,
): Result<PlannedAddition> {
  const { driver, id: rawId, bus, ...properties } = raw;
  if (typeof driver !== "string" || (rawId !== undefined && typeof rawId !== "string")) {
    throw usage(
      `an object with ${typeof driver === "string" ? "an id that is no text" : "no driver"}`,
      'what device_add takes: {"driver": "...", "id": "...", ...}',
      "see: qemu-system-x86_64 -device help",
    );
  }
  const id = oneId(rawId, flagId) ?? freeId("dev", facts);
  const draft = liveDraft(system, profile, {});
  const because = draft.decide("extra", `device.${id}`, {
    value: driver,
    rule: "Passed on as it is. The plan does not know what it does, and its checks do not cover it.",
    source: "https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html",
  });
  const own = properties as Readonly<Record<string, PropertyValue>>;
  const named = typeof bus === "string" ? bus : wish.bus;
  const isPort = named === undefined || facts.ports.some((port) => port.id === named);
  if (isPort && !own.addr) {
    const site = new LiveSite(draft, facts.ports, wish);
    site.place({ id, driver, properties: own, because: [because], path: [], bus: named });
  } else {
    draft.add({ option: "device", driver, id, properties: { bus: named, ...own }, because: [because] });
  }
  return finishDraft(draft, id);
}

function oneId(inText: string | undefined, flag: string | undefined): string | undefined {
  if (inText === undefined || flag === undefined || inText === flag) return inText ?? flag;
  throw usage(`the id "${inText}" and --id ${flag}`, "one id", "leave one of them out");
}

function bootOrder(kind: string): QlaunchError {
  return refusal("LIVE_DEVICE_KIND", {
    found: `a place in the boot order for a ${kind} that comes later`,
    needed: "no boot: the firmware has its order from the start",
    fix: "leave boot out",
  });
}

function cellOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw usage(
    `"${text}" is no number of a cell`,
    "a whole number such as 0",
    "write the number of a cell of the guest",
  );
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw usage(
      `the object is no JSON: ${error instanceof Error ? error.message : ""}`,
      "one JSON object",
      `quote it for the shell: '{"driver": "virtio-rng-pci"}'`,
    );
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw usage(
    `the object is ${JSON.stringify(value)}`,
    "one JSON object",
    `write '{"driver": "virtio-rng-pci"}'`,
  );
}
