import { type QlaunchError, refusal } from "../errors/index.ts";
import { guestBlockBytes } from "../plan/memory-device-checks.ts";
import type { PlacedMemoryDevice } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import { closest, describeByteSize } from "../units/index.ts";
import { readMappingStarts } from "../vm/numa-maps.ts";
import { wantsOnline } from "./agent.ts";
import { additionRequest } from "./device-addition.ts";
import { readDevices, readObjects } from "./device-list.ts";
import { isPresent, type Part, type PartToAdd, readPresence } from "./device-parts.ts";
import { type PlanAddition, type PlannedAddition, prepareAddition } from "./device-plan.ts";
import { runRemoval, takeUpRemoval } from "./device-remove.ts";
import { type LiveOptions, type LiveVm, withLiveVm } from "./live.ts";
import type { BoundMemory } from "./memory-bound.ts";
import {
  type LiveMemoryDevice,
  type PluggedMemory,
  readMemoryDevices,
  readPluggedMemory,
} from "./memory-list.ts";
import { raiseForMemory } from "./memory-lock.ts";
import { type GuestMemory, readGuestMemory } from "./memory-online.ts";
import { alignedAddress } from "./memory-room.ts";
import { type CheckMore, resizeOperation } from "./memory-size.ts";
import type { Operation } from "./operation.ts";
import { runOperation, takeUpOperations } from "./operation-run.ts";
import { askAhead } from "./recent-answers.ts";

/** A memory device that is planned for a running VM. */
export interface PlannedMemory extends PlannedAddition {
  readonly device: PlacedMemoryDevice;
}

export interface MemoryOutcome {
  readonly name: string;
  readonly id: string;
  /** As QEMU has it now; undefined when it is gone. */
  readonly device: LiveMemoryDevice | undefined;
  /** What the guest says that it runs; undefined without an agent. */
  readonly guest: GuestMemory | undefined;
  /** Whether new memory is brought online by the agent. */
  readonly broughtOnline: boolean;
  readonly operation: Operation;
}

/**
 * Gives a running guest a memory device, its backend bound and read back before the guest sees it.
 * @throws QlaunchError LIVE_MEMORY_ROOM, LIVE_ID_IN_USE, LIVE_PORT, HOST_LOCKED_MEMORY, VM_MEMORY_POLICY, QMP_ERROR,
 *   VM_TIMEOUT, those of planning and those of opening the VM
 */
export async function addMemory(
  system: System,
  name: string,
  options: LiveOptions,
  planMemory: PlanAddition<PlannedMemory>,
): Promise<MemoryOutcome> {
  return withLiveVm(system, name, "qlaunch memory add", options, async (live) => {
    const { qmp } = live;
    // In the order of use.
    askAhead([readDevices(qmp), readPluggedMemory(qmp), readObjects(qmp)]);
    const mapped = readMappingStarts(system.files, live.pid);
    await takeUpOperations(live, "memory-add");
    const { planned, parts } = await prepareAddition(live, planMemory);
    const { device } = planned;
    const { id, kind, memoryBytes, cell } = device;
    const devices = await readPluggedMemory(qmp);
    await raiseForMemory(live, devices, memoryBytes);
    const { memdev, hostNodes, policy } = device;
    const bound = hostNodes && policy ? { memdev, cell, memoryBytes, hostNodes, policy } : undefined;
    const operation = await runOperation(
      { ...live, mapped },
      additionRequest("memory-add", `${kind} ${id} of ${describeByteSize(memoryBytes)} on cell ${cell}`, {
        id,
        parts: kind === "dimm" ? placed(live, parts, devices, memoryBytes) : parts,
        ...(bound === undefined ? {} : { bound }),
        ...(kind === "dimm" ? { memoryBytes } : {}),
      }),
    );
    return outcome(live, id, operation, bound);
  });
}

/** A DIMM behind a device of odd size gets an address that the guest can use. */
function placed(
  { plan }: LiveVm,
  parts: readonly PartToAdd[],
  devices: readonly PluggedMemory[],
  sizeBytes: number,
): readonly PartToAdd[] {
  const memory = plan.options.find((option) => option.option === "m");
  const addr = alignedAddress(devices, sizeBytes, guestBlockBytes(memory?.sizeBytes ?? 0));
  if (addr === undefined) return parts;
  return parts.map((part) =>
    part.verb === "device_add" ? { ...part, arguments: { ...part.arguments, addr } } : part,
  );
}

/**
 * Asks the guest for a memory device, and takes its backend away when the guest has let go.
 * @throws QlaunchError LIVE_ID_UNKNOWN, LIVE_NOT_REMOVABLE, LIVE_GUEST_REFUSED, VM_STATE, VM_TIMEOUT and those of
 *   opening the VM
 */
export async function removeMemory(
  system: System,
  name: string,
  id: string,
  options: LiveOptions,
): Promise<MemoryOutcome> {
  return withLiveVm(system, name, "qlaunch memory remove", options, async (live) => {
    const ended = await takeUpRemoval(live, "memory-remove", id);
    if (ended !== undefined) return outcome(live, id, ended);
    const devices = await readMemoryDevices(live.qmp);
    const device = devices.find((known) => known.id === id);
    const backEnds = await backEndsOf(live, id, device);
    if (device === undefined && backEnds.length === 0) throw unknownMemory(live, id, devices);
    if (device !== undefined) checkRemovable(live, id, device);
    const operation = await runRemoval(live, "memory-remove", `${device?.kind ?? "backend of"} ${id}`, {
      id,
      backEnds,
    });
    return outcome(live, id, operation);
  });
}

/** The backend, also one that an earlier removal left because the guest was late. */
async function backEndsOf(
  { qmp }: LiveVm,
  id: string,
  device: LiveMemoryDevice | undefined,
): Promise<Part[]> {
  const memdev = device?.memdev ?? (device === undefined ? `ram-${id}` : undefined);
  const parts: Part[] = memdev === undefined ? [] : [{ verb: "object-add", id: memdev }];
  const presence = await readPresence(qmp, parts);
  const isDevice = (await readDevices(qmp)).some((known) => known.id === id);
  return device === undefined && isDevice ? [] : parts.filter((part) => isPresent(presence, part));
}

function checkRemovable({ name }: LiveVm, id: string, device: LiveMemoryDevice): void {
  if (device.kind === "nvdimm") {
    throw refusal("LIVE_NOT_REMOVABLE", {
      found: `${id} of ${name} is an NVDIMM`,
      needed: "a DIMM or a virtio-mem device: QEMU cannot unplug NVDIMMs",
      fix: "take it out of the profile, and start the VM again",
    });
  }
  if (device.kind === "virtio-mem" && (device.sizeBytes > 0 || (device.requestedBytes ?? 0) > 0)) {
    throw refusal("LIVE_NOT_REMOVABLE", {
      found: `the guest of ${name} has ${describeByteSize(device.sizeBytes)} of ${id}, and ${describeByteSize(device.requestedBytes ?? 0)} are requested`,
      needed: "a virtio-mem device that the guest has nothing of",
      fix: `qlaunch memory resize ${name} ${id} 0, then remove it`,
    });
  }
}

/**
 * Requests another part of a virtio-mem device, and waits until the guest has just that.
 * @throws QlaunchError LIVE_ID_UNKNOWN, LIVE_MEMORY_ROOM, MEMORY_ALIGNMENT, VM_STATE, VM_TIMEOUT
 * @param check what speaks against taking more from the host
 */
export async function resizeMemory(
  system: System,
  name: string,
  id: string,
  sizeBytes: number,
  options: LiveOptions,
  check: CheckMore,
): Promise<MemoryOutcome> {
  return withLiveVm(system, name, "qlaunch memory resize", options, async (live) => {
    await takeUpOperations(live);
    const devices = await readMemoryDevices(live.qmp);
    const device = devices.find((known) => known.id === id);
    if (device === undefined) throw unknownMemory(live, id, devices);
    return outcome(live, id, await resizeOperation(live, id, device, sizeBytes, check));
  });
}

/** @param bound where its memory was seen to be; QEMU is asked for what nobody looked at */
async function outcome(
  live: LiveVm,
  id: string,
  operation: Operation,
  bound?: BoundMemory,
): Promise<MemoryOutcome> {
  const { qmp } = live;
  const seen = bound === undefined ? undefined : (await readPluggedMemory(qmp)).find(isIt(id));
  return {
    name: live.name,
    id,
    device:
      seen === undefined || bound === undefined
        ? (await readMemoryDevices(qmp)).find(isIt(id))
        : { ...seen, policy: bound.policy, hostNodes: bound.hostNodes },
    guest: await readGuestMemory(live),
    broughtOnline: wantsOnline(live),
    operation,
  };
}

const isIt = (id: string) => (device: PluggedMemory) => device.id === id;

function unknownMemory({ name }: LiveVm, id: string, devices: readonly LiveMemoryDevice[]): QlaunchError {
  const ids = devices.flatMap((device) => device.id ?? []);
  const meant = closest(id, ids);
  return refusal("LIVE_ID_UNKNOWN", {
    found: `${name} has no memory device "${id}"`,
    needed: ids.length === 0 ? "a memory device: it has none" : `one of ${ids.join(", ")}`,
    fix: meant === undefined ? `qlaunch memory list ${name}` : `did you mean "${meant}"?`,
  });
}
