import type { Diagnostic } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import { describeByteSize, formatByteSize, sumOf } from "../units/index.ts";
import type { LiveMemoryDevice } from "./memory-list.ts";

/** What a memory device takes up. */
export interface MemoryWant {
  readonly id: string;
  readonly kind: "dimm" | "virtio-mem" | "nvdimm";
  readonly sizeBytes: number;
}

/** Slots and room up to memory.max that the devices of a running VM leave; every reason against one more. */
export function checkLiveRoom(
  plan: Plan,
  devices: readonly Pick<LiveMemoryDevice, "slot" | "maxBytes">[],
  { id, kind, sizeBytes }: MemoryWant,
): Diagnostic[] {
  const memory = plan.options.find((option) => option.option === "m");
  if (memory === undefined) return [];
  const problems: Diagnostic[] = [];
  const refuse = (found: string, needed: string, fix: string) =>
    problems.push({ code: "LIVE_MEMORY_ROOM", severity: "error", path: [], found, needed, fix });
  const { slots, sizeBytes: atStart, maxBytes } = memory;
  const taken = devices.filter(({ slot }) => slot !== undefined).length;
  if (kind !== "virtio-mem" && taken >= slots) {
    refuse(
      slots === 0
        ? `no slot for ${id}: the VM was started without any`
        : `no slot for ${id}: all ${slots} are taken`,
      "a free slot for each DIMM and NVDIMM",
      `${taken > 0 ? "remove a device, or " : ""}write "slots": ${taken + 1} or more in memory and start the VM again`,
    );
  }
  const room = Math.max(0, maxBytes - atStart);
  const used = sumOf(devices, ({ maxBytes }) => maxBytes);
  if (sizeBytes > room - used) {
    refuse(
      `${describeByteSize(sizeBytes)} for ${id}, and ${describeByteSize(Math.max(0, room - used))} left up to memory.max of ${describeByteSize(maxBytes)}`,
      "no more than is left",
      room - used > 0
        ? `ask for ${formatByteSize(room - used)} or less, or raise memory.max and start the VM again`
        : `write a memory.max of ${formatByteSize(atStart + used + sizeBytes)} or more, and start the VM again`,
    );
  }
  return problems;
}

/**
 * Where a DIMM must go when a device of odd size is there already: QEMU puts it right behind, and Linux leaves memory
 * unused that does not begin at a multiple of its blocks.
 * @returns undefined when QEMU's own choice is as good
 */
export function alignedAddress(
  devices: readonly Pick<LiveMemoryDevice, "addressBytes" | "maxBytes">[],
  sizeBytes: number,
  blockBytes: number,
): number | undefined {
  const ends = devices.map(({ addressBytes, maxBytes }) => addressBytes + maxBytes);
  if (ends.every((end) => end % blockBytes === 0)) return undefined;
  const candidates = ends.map((end) => Math.ceil(end / blockBytes) * blockBytes).sort((a, b) => a - b);
  return candidates.find((start) =>
    devices.every(
      ({ addressBytes, maxBytes }) => start + sizeBytes <= addressBytes || start >= addressBytes + maxBytes,
    ),
  );
}
