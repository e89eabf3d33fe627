import { type Diagnostic, failure, QlaunchError, type Result } from "../errors/index.ts";
import {
  addDevice,
  type DeviceOutcome,
  type LiveDevice,
  type LiveFacts,
  type LiveOptions,
  listDevices,
  type PlannedAddition,
  type PortWish,
  removeDevice,
} from "../hotplug/index.ts";
import type { Profile } from "../profile/index.ts";
import type { SectionReading } from "../profile/section.ts";
import type { System } from "../system/index.ts";
import { planDisk, planNetwork, planRaw } from "./live-device-plans.ts";
import { planPassed } from "./live-passthrough.ts";
import { keptProfile } from "./live-plan.ts";
import { checkId, usage } from "./usage.ts";
import { addressesOf, wholeGroupFix } from "./vfio.ts";

export type { DeviceOutcome, LiveDevice };
export { listDevices, removeDevice };

/** A device as the command line has it: one of disk, nic and object is given, as JSON text, or the address for vfio. */
export interface DeviceRequest {
  readonly disk: string | undefined;
  readonly nic: string | undefined;
  /** Address of a function of the host. */
  readonly vfio?: string | undefined;
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
) => Promise<Result<PlannedAddition>>;

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
    const result = await plan(await keptProfile(system, name), facts, request.id, wish);
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
  const { disk, nic, vfio, object } = request;
  if ([disk, nic, vfio, object].filter((text) => text !== undefined).length !== 1) {
    throw usage(
      "none or several of --disk, --nic, --vfio and an object for device_add",
      "one of them",
      `for example: qlaunch device add ${name} --disk '{"file": "data.qcow2", "format": "qcow2"}'`,
    );
  }
  if (vfio !== undefined) {
    const [address = ""] = addressesOf([vfio]);
    return {
      plan: (...rest) => planPassed(system, address, ...rest),
      locate: async (diagnostics) =>
        diagnostics.map((problem) => ({ ...problem, path: [], ...wholeGroupFix(problem) })),
    };
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
