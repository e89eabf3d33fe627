import { type Diagnostic, QlaunchError, type Result, refusal } from "../errors/index.ts";
import type { QemuOption } from "../plan/options.ts";
import type { StandingController } from "../plan/scsi-controllers.ts";
import type { NeededFile, Plan } from "../plan/types.ts";
import { QmpCommandError } from "../qmp/index.ts";
import { closest } from "../units/index.ts";
import {
  type Arguments,
  blockdevAddArguments,
  deviceAddArguments,
  netdevAddArguments,
  objectAddArguments,
} from "./device-arguments.ts";
import {
  type LiveThing,
  readDevices,
  readParent,
  readPorts,
  readProperty,
  readPropertyTypes,
} from "./device-list.ts";
import { describePart, isPresent, type PartToAdd, readPresence } from "./device-parts.ts";
import type { LiveVm } from "./live.ts";
import { type PluggedMemory, readPluggedMemory } from "./memory-list.ts";
import type { LivePort } from "./ports.ts";
import type { LiveMonitor } from "./recent-answers.ts";

/** What an addition is planned from, beside the profile. QEMU is asked for it when it is wanted. */
export interface LiveFacts {
  readonly plan: Plan;
  devices(): Promise<readonly LiveThing[]>;
  ports(): Promise<readonly LivePort[]>;
  memoryDevices(): Promise<readonly PluggedMemory[]>;
  /** SCSI controllers. */
  controllers(): Promise<readonly StandingController[]>;
  /** MAC addresses by the id of their card. */
  macs(): Promise<ReadonlyMap<string, string>>;
  /** Whether a driver of QEMU's makes a PCI device. @throws QlaunchError LIVE_DEVICE_KIND when there is none such */
  isPci(driver: string): Promise<boolean>;
}

/** An addition that is planned: what QEMU gets, and what it needs of the host. */
export interface PlannedAddition {
  /** Id of the device itself. */
  readonly id: string;
  readonly options: readonly QemuOption[];
  readonly files: readonly NeededFile[];
  readonly taps: readonly string[];
  readonly bridges: Plan["run"]["bridges"];
  /** Functions of the host that are bound before the device comes. */
  readonly passthrough: Plan["run"]["passthrough"];
}

export type PlanAddition<Planned extends PlannedAddition = PlannedAddition> = (
  facts: LiveFacts,
) => Promise<Result<Planned>>;

function liveFacts(live: LiveVm): LiveFacts {
  const { qmp, plan } = live;
  const devices = () => readDevices(qmp);
  return {
    plan,
    devices,
    ports: () => readPorts(live),
    memoryDevices: () => readPluggedMemory(qmp),
    controllers: async () => readControllers(qmp, await devices()),
    macs: async () => readMacs(qmp, await devices()),
    isPci: async (driver) => (await propertyTypes(qmp, driver)).has("multifunction"),
  };
}

async function readControllers(
  qmp: LiveMonitor,
  devices: readonly LiveThing[],
): Promise<StandingController[]> {
  const disks = await Promise.all(
    devices
      .filter(({ type }) => type.startsWith("scsi-"))
      .map(async ({ id }) => ({
        controller: await readParent(qmp, id),
        unit: Number(await readProperty(qmp, id, "scsi-id")),
      })),
  );
  const controllers = devices.filter(({ type }) => type === "virtio-scsi-pci");
  return Promise.all(
    controllers.map(async ({ id }) => ({
      id,
      iothread: idOfPath(await readProperty(qmp, id, "iothread")),
      bus: (await readParent(qmp, id)) ?? "",
      units: disks.filter(({ controller }) => controller === id).map(({ unit }) => unit),
    })),
  );
}

async function readMacs(qmp: LiveMonitor, devices: readonly LiveThing[]): Promise<Map<string, string>> {
  const cards = devices.filter(({ type }) => /net|e1000/.test(type));
  const macs = await Promise.all(cards.map(({ id }) => readProperty(qmp, id, "mac")));
  return new Map(
    cards.flatMap(({ id }, index) => (typeof macs[index] === "string" ? [[id, macs[index]]] : [])),
  );
}

/** "/objects/io0" is io0; a link to nothing is an empty text. */
function idOfPath(path: unknown): string | undefined {
  return typeof path === "string" && path !== "" ? path.split("/").at(-1) : undefined;
}

/** Plans an addition and looks for everything against it. Changes nothing. @throws QlaunchError */
export async function prepareAddition<Planned extends PlannedAddition>(
  live: LiveVm,
  planAddition: PlanAddition<Planned>,
): Promise<{ planned: Planned; parts: PartToAdd[] }> {
  const result = await planAddition(liveFacts(live));
  if (!result.ok) throw new QlaunchError(result.diagnostics);
  for (const { found, needed } of result.warnings) {
    live.emit({ type: "notice", level: "warning", message: `${found}; ${needed}` });
  }
  const planned = result.value;
  const parts = await partsOf(live.qmp, planned.options);
  const problems = [...(await checkIds(live, parts)), ...(await hostProblems(live, planned))];
  if (problems.some(({ severity }) => severity === "error")) throw new QlaunchError(problems);
  return { planned, parts };
}

/** Back ends first, as QEMU needs them. */
async function partsOf(qmp: LiveMonitor, options: readonly QemuOption[]): Promise<PartToAdd[]> {
  const parts: PartToAdd[] = [];
  for (const option of options) {
    const part = await partOf(qmp, option);
    if (part !== undefined) parts.push(part);
  }
  const order = ["object-add", "blockdev-add", "netdev_add", "device_add"];
  return parts.sort((a, b) => order.indexOf(a.verb) - order.indexOf(b.verb));
}

async function partOf(qmp: LiveMonitor, option: QemuOption): Promise<PartToAdd | undefined> {
  switch (option.option) {
    case "object":
      return { verb: "object-add", id: option.id, arguments: objectAddArguments(option) };
    case "blockdev":
      return { verb: "blockdev-add", id: option.nodeName, arguments: blockdevAddArguments(option) };
    case "netdev":
      return { verb: "netdev_add", id: option.id, arguments: netdevAddArguments(option) };
    case "device":
      return { verb: "device_add", id: option.id ?? "", arguments: await typedDevice(qmp, option) };
    default:
      return undefined;
  }
}

/** Devices whose properties are planned in QMP's own types: QEMU, which makes a device to tell them, is not asked. */
const plainDrivers: ReadonlySet<string> = new Set(["pc-dimm"]);

async function typedDevice(
  qmp: LiveMonitor,
  option: Extract<QemuOption, { option: "device" }>,
): Promise<Arguments> {
  const types = plainDrivers.has(option.driver) ? new Map() : await propertyTypes(qmp, option.driver);
  return deviceAddArguments(option, types);
}

async function propertyTypes(qmp: LiveMonitor, driver: string): Promise<ReadonlyMap<string, string>> {
  try {
    return await readPropertyTypes(qmp, driver);
  } catch (error) {
    if (!(error instanceof QmpCommandError)) throw error;
    const drivers = await qmp.execute("qom-list-types", { implements: "device", abstract: false });
    const meant = closest(
      driver,
      drivers.map(({ name }) => name),
    );
    throw refusal(
      "LIVE_DEVICE_KIND",
      {
        found: `QEMU has no device "${driver}"`,
        needed: "one of its own: qemu-system-x86_64 -device help",
        fix: meant === undefined ? "name one that it has" : `did you mean "${meant}"?`,
        detail: error.desc,
      },
      { cause: error },
    );
  }
}

async function checkIds({ qmp, name }: LiveVm, parts: readonly PartToAdd[]): Promise<Diagnostic[]> {
  const presence = await readPresence(qmp, parts);
  const taken = parts.filter((part) => isPresent(presence, part));
  // The names of back ends come from the device's.
  const devices = taken.filter(({ verb }) => verb === "device_add");
  return (devices.length > 0 ? devices : taken).map((part) => ({
    code: "LIVE_ID_IN_USE",
    severity: "error",
    path: [],
    found: `the ${describePart(part)}, which ${name} has already`,
    needed: "a name of its own",
    fix: "give it another id",
  }));
}

/** Most memory needs nothing that is looked at. */
async function hostProblems(live: LiveVm, planned: PlannedAddition): Promise<Diagnostic[]> {
  const { files, taps, bridges, passthrough } = planned;
  if ([files, taps, bridges, passthrough].every(({ length }) => length === 0)) return [];
  return (await import("./device-host.ts")).checkHost(live, planned);
}
