import { type QlaunchError, refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { closest } from "../units/index.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import { openVm } from "../vm/session.ts";
import { additionRequest } from "./device-addition.ts";
import {
  type LiveThing,
  readBlockNodes,
  readDevices,
  readNetdevs,
  readParent,
  readProperty,
} from "./device-list.ts";
import type { Part } from "./device-parts.ts";
import { type PlanAddition, prepareAddition } from "./device-plan.ts";
import { runRemoval, takeUpRemoval } from "./device-remove.ts";
import { type LiveOptions, type LiveVm, withLiveVm } from "./live.ts";
import { raiseForDevices } from "./memory-lock.ts";
import type { Operation } from "./operation.ts";
import { runOperation, takeUpOperations } from "./operation-run.ts";
import { hotplugPorts } from "./ports.ts";

/** A device of a running VM, from QEMU's own list. */
export interface LiveDevice {
  readonly id: string;
  /** QEMU's driver. */
  readonly driver: string;
  /** The device whose bus it sits on; undefined for one of the board's own. */
  readonly bus: string | undefined;
  /** The cell that the guest sees for it; undefined for none. */
  readonly cell: number | undefined;
  /** Whether the plan of the start has it. */
  readonly planned: boolean;
}

export interface DeviceOutcome {
  readonly name: string;
  readonly id: string;
  /** As QEMU has it now; undefined when it is gone. */
  readonly device: LiveDevice | undefined;
  readonly operation: Operation;
}

/** Every device with an id, ports among them: the plan's in its order, then those that came later. @throws QlaunchError as openVm */
export async function listDevices(system: System, name: string): Promise<LiveDevice[]> {
  const vm = await openVm(system, name);
  try {
    return await describeDevices(vm, await readDevices(vm.qmp));
  } catch (error) {
    throw asRefusal(error, name);
  } finally {
    await vm.close();
  }
}

async function describeDevices(
  { qmp, plan }: Pick<LiveVm, "qmp" | "plan">,
  devices: readonly LiveThing[],
): Promise<LiveDevice[]> {
  const parents = await Promise.all(devices.map(({ id }) => readParent(qmp, id)));
  const parentOf = new Map(devices.map(({ id }, index) => [id, parents[index]]));
  const cells = new Map(plan.devices.map(({ id, numaNode }) => [id, numaNode]));
  const planned = plan.options.flatMap((option) => (option.option === "device" ? (option.id ?? []) : []));
  const rank = (id: string) => (planned.includes(id) ? planned.indexOf(id) : planned.length);
  const inOrder = [...devices].sort((a, b) => rank(a.id) - rank(b.id) || (a.id < b.id ? -1 : 1));
  // A device that came later is where its port is, through whatever stands between.
  const cellOf = (id: string): number | undefined => {
    if (cells.has(id)) return cells.get(id);
    const parent = parentOf.get(id);
    return parent === undefined ? undefined : cellOf(parent);
  };
  return inOrder.map(({ id, type }) => ({
    id,
    driver: type,
    bus: parentOf.get(id),
    cell: cellOf(id),
    planned: planned.includes(id),
  }));
}

/**
 * Gives a running guest a device with its back ends, or nothing of it.
 * @throws QlaunchError LIVE_PORT, LIVE_ID_IN_USE, LIVE_DEVICE_KIND, QMP_ERROR, those of planning and of opening the VM
 */
export async function addDevice(
  system: System,
  name: string,
  options: LiveOptions,
  planAddition: PlanAddition,
): Promise<DeviceOutcome> {
  return withLiveVm(system, name, "qlaunch device add", options, async (live) => {
    await takeUpOperations(live, "device-add");
    const { planned, parts } = await prepareAddition(live, planAddition);
    const { id } = planned;
    const front = parts.find((part) => part.verb === "device_add" && part.id === id);
    const subject = `${front?.arguments.driver ?? "device"} ${id} on ${front?.arguments.bus ?? "no bus"}`;
    const { passthrough } = planned;
    if (passthrough.length > 0) await raiseForDevices(live, passthrough.length);
    const request = { id, parts, ...(passthrough.length > 0 ? { passthrough } : {}) };
    const operation = await runOperation(live, additionRequest("device-add", subject, request));
    return outcome(live, id, operation);
  });
}

/**
 * Asks the guest for a device, and takes its back ends away when the guest has let go.
 * @throws QlaunchError LIVE_ID_UNKNOWN, LIVE_NOT_REMOVABLE, LIVE_GUEST_NOT_READY, LIVE_GUEST_REFUSED, VM_STATE,
 *   VM_TIMEOUT and those of opening the VM
 */
export async function removeDevice(
  system: System,
  name: string,
  id: string,
  options: LiveOptions,
): Promise<DeviceOutcome> {
  return withLiveVm(system, name, "qlaunch device remove", options, async (live) => {
    const ended = await takeUpRemoval(live, "device-remove", id);
    if (ended !== undefined) return outcome(live, id, ended);
    const devices = await readDevices(live.qmp);
    const device = devices.find((known) => known.id === id);
    const backEnds = await backEndsOf(live, id, device);
    if (device === undefined && backEnds.length === 0) throw unknownDevice(live, id, devices);
    if (device !== undefined) await checkRemovable(live, device, devices);
    const operation = await runRemoval(live, "device-remove", `${device?.type ?? "back ends of"} ${id}`, {
      id,
      backEnds,
    });
    return outcome(live, id, operation);
  });
}

/** By what the device names, else by the names that this program gives, when an earlier removal left them. */
async function backEndsOf({ qmp }: LiveVm, id: string, device: LiveThing | undefined): Promise<Part[]> {
  const drive = device === undefined ? id : await readProperty(qmp, id, "drive");
  const netdev = device === undefined ? `${id}-netdev` : await readProperty(qmp, id, "netdev");
  const parts: Part[] = [];
  if (typeof drive === "string" && drive !== "") {
    const nodes = await readBlockNodes(qmp);
    // The format's node stands on the file's.
    for (const node of [drive, `${drive}.file`])
      if (nodes.has(node)) parts.push({ verb: "blockdev-add", id: node });
  }
  if (typeof netdev === "string" && netdev !== "" && (await readNetdevs(qmp)).has(netdev)) {
    parts.push({ verb: "netdev_add", id: netdev });
  }
  return parts;
}

async function checkRemovable(
  live: LiveVm,
  { id, type }: LiveThing,
  devices: readonly LiveThing[],
): Promise<void> {
  const { name, qmp, plan } = live;
  const refuse = (found: string, needed: string, fix: string) =>
    refusal("LIVE_NOT_REMOVABLE", { found, needed, fix });
  if (type.endsWith("-x86_64-cpu")) {
    throw refuse(`${id} of ${name} is a vCPU`, "another command", `qlaunch setvcpus ${name}`);
  }
  if (type === "pc-dimm" || type === "nvdimm" || type.startsWith("virtio-mem")) {
    throw refuse(`${id} of ${name} is memory`, "another command", `qlaunch memory remove ${name} ${id}`);
  }
  if (
    hotplugPorts(plan).some((port) => port.id === id) ||
    (await readProperty(qmp, id, "hotpluggable")) === false
  ) {
    throw refuse(
      `${id} of ${name} (${type}) cannot be taken out while the guest runs`,
      "a device on a hot-plug port, or a disk of a SCSI controller",
      "change the profile, and start the VM again",
    );
  }
  const parents = await Promise.all(devices.map((device) => readParent(qmp, device.id)));
  const children = devices.filter((_, index) => parents[index] === id).map((device) => device.id);
  if (children.length > 0) {
    throw refuse(
      `${id} of ${name} has ${children.join(", ")}`,
      "a device that nothing hangs on",
      `remove ${children.length === 1 ? "it" : "these"} first`,
    );
  }
}

async function outcome(live: LiveVm, id: string, operation: Operation): Promise<DeviceOutcome> {
  const devices = await describeDevices(live, await readDevices(live.qmp));
  return { name: live.name, id, device: devices.find((device) => device.id === id), operation };
}

function unknownDevice({ name }: LiveVm, id: string, devices: readonly LiveThing[]): QlaunchError {
  const ids = devices.map((device) => device.id);
  const meant = closest(id, ids);
  return refusal("LIVE_ID_UNKNOWN", {
    found: `${name} has no device "${id}"`,
    needed: `one of ${ids.join(", ")}`,
    fix: meant === undefined ? `qlaunch device list ${name}` : `did you mean "${meant}"?`,
  });
}
