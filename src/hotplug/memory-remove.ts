import { refusal } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import { readDevices } from "./device-list.ts";
import { isPresent, type Part, readPresence } from "./device-parts.ts";
import { runRemoval, takeUpRemoval } from "./device-remove.ts";
import type { LiveVm } from "./live.ts";
import { type LiveMemoryDevice, readMemoryDevices } from "./memory-list.ts";
import { type MemoryOutcome, memoryOutcome, unknownMemory } from "./memory-outcome.ts";

/** The work of `removeMemory`. */
export async function removeMemoryFrom(live: LiveVm, id: string): Promise<MemoryOutcome> {
  const ended = await takeUpRemoval(live, "memory-remove", id);
  if (ended !== undefined) return memoryOutcome(live, id, ended);
  const devices = await readMemoryDevices(live.qmp);
  const device = devices.find((known) => known.id === id);
  const backEnds = await backEndsOf(live, id, device);
  if (device === undefined && backEnds.length === 0) throw unknownMemory(live, id, devices);
  if (device !== undefined) checkRemovable(live, id, device);
  const operation = await runRemoval(live, "memory-remove", `${device?.kind ?? "backend of"} ${id}`, {
    id,
    backEnds,
  });
  return memoryOutcome(live, id, operation);
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
