import { guestBlockBytes } from "../plan/memory-device-checks.ts";
import type { PlacedMemoryDevice } from "../plan/types.ts";
import { describeByteSize } from "../units/index.ts";
import { readMappingStarts } from "../vm/numa-maps.ts";
import { additionRequest, isTakenAtOnce } from "./device-addition.ts";
import { readDevices, readObjects } from "./device-list.ts";
import type { PartToAdd } from "./device-parts.ts";
import { type PlanAddition, type PlannedAddition, prepareAddition } from "./device-plan.ts";
import type { LiveVm } from "./live.ts";
import { type PluggedMemory, readPluggedMemory } from "./memory-list.ts";
import { raiseForMemory } from "./memory-lock.ts";
import { type MemoryOutcome, memoryOutcome } from "./memory-outcome.ts";
import { alignedAddress } from "./memory-room.ts";
import { runOperation, takeUpOperations } from "./operation-run.ts";
import { askAhead } from "./recent-answers.ts";

/** A memory device that is planned for a running VM. */
export interface PlannedMemory extends PlannedAddition {
  readonly device: PlacedMemoryDevice;
}

/** The work of `addMemory`. */
export async function addMemoryTo(
  live: LiveVm,
  planMemory: PlanAddition<PlannedMemory>,
): Promise<MemoryOutcome> {
  const { qmp } = live;
  // In the order of use.
  await askAhead([readDevices(qmp), readPluggedMemory(qmp), readObjects(qmp)]);
  await takeUpOperations(live, "memory-add");
  const { planned, parts } = await prepareAddition(live, planMemory);
  const { device } = planned;
  const { id, kind, memoryBytes, cell } = device;
  const devices = await readPluggedMemory(qmp);
  await raiseForMemory(live, devices, memoryBytes);
  const mapped = readMappingStarts(live.system.files, live.pid, parts.some(isTakenAtOnce) ? "all" : "first");
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
  return memoryOutcome(live, id, operation, bound);
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
