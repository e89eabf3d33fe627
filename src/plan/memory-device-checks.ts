import type { JsonPath } from "../errors/index.ts";
import type { MemoryDevice } from "../profile/index.ts";
import { describeByteSize, formatByteSize } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import type { DeviceCell } from "./memory-devices.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
/** QEMU's least alignment of memory devices on x86. */
const leastUnitBytes = 2 * mebibyte;
/** QEMU's least label of an NVDIMM. */
const leastLabelBytes = 128 * 1024;

/** Everything about memory devices that would be refused later, by QEMU or by the guest, but for slots and room. */
export function checkMemoryDevices(draft: Draft, cells: readonly Pick<DeviceCell, "id">[]): void {
  for (const [index, device] of draft.profile.memory.devices.entries()) {
    const path = ["memory", "devices", index];
    checkKeys(draft, device, path);
    checkSizes(draft, device, path);
    checkCell(draft, device, cells, path);
  }
}

const nvdimmKeys = ["path", "labelSize", "align", "pmem", "unarmed", "share"] as const;

function checkKeys(draft: Draft, device: MemoryDevice, path: JsonPath): void {
  const refuse = (key: string, found: string, needed: string, fix: string) =>
    draft.refuse("MEMORY_DEVICE", [...path, key], { found, needed, fix });
  const { kind, id } = device;
  if (kind === "nvdimm") {
    if (device.path === undefined) {
      refuse(
        "kind",
        `nvdimm ${id} without a path`,
        "the file or DAX device that is its memory",
        'add "path", such as "/dev/dax0.0"',
      );
    }
    if (device.pageSize !== undefined) {
      refuse("pageSize", `a page size for nvdimm ${id}`, "align: its pages are the file's", "leave it out");
    }
    if (device.unarmed && device.pmem) {
      refuse(
        "pmem",
        `pmem for nvdimm ${id}, which is unarmed`,
        "pmem only where the guest may write: it makes QEMU flush writes",
        "leave one of them out",
      );
    }
  } else {
    for (const key of nvdimmKeys.filter((name) => device[name] !== undefined)) {
      refuse(key, `${key} for ${kind} ${id}`, 'kind "nvdimm", which has it', "leave it out, or change kind");
    }
  }
  if (kind !== "virtio-mem" && device.requested !== undefined) {
    refuse(
      "requested",
      `requested for ${kind} ${id}`,
      'kind "virtio-mem": the others are there as a whole',
      "leave it out, or change kind",
    );
  }
  if (kind === "virtio-mem" && draft.profile.memory.locked) {
    refuse(
      "kind",
      `virtio-mem ${id} with memory.locked`,
      "memory that is not locked: locking would take all of the device at once",
      'use "dimm", or leave memory.locked out',
    );
  }
}

/** What sizes of the device must be multiples of, in bytes. */
export function deviceUnitBytes(draft: Draft, device: MemoryDevice): number {
  const page =
    device.kind === "nvdimm" ? (device.align ?? 0) : (device.pageSize ?? draft.profile.memory.pageSize ?? 0);
  return Math.max(leastUnitBytes, page);
}

function checkSizes(draft: Draft, device: MemoryDevice, path: JsonPath): void {
  for (const key of ["pageSize", "align"] as const) {
    const bytes = device[key];
    if (bytes === undefined || Number.isInteger(Math.log2(bytes))) continue;
    draft.refuse("MEMORY_ALIGNMENT", [...path, key], {
      found: `${key} of ${bytes} bytes`,
      needed: "a power of two",
      fix: 'write "2M" or "1G", or leave it out',
    });
    return;
  }
  const unit = deviceUnitBytes(draft, device);
  for (const key of ["size", "requested"] as const) {
    const bytes = device[key];
    if (bytes === undefined || (bytes % unit === 0 && (bytes > 0 || key === "requested"))) continue;
    draft.refuse("MEMORY_ALIGNMENT", [...path, key], {
      found: `${key} of ${formatByteSize(bytes)} for ${device.id}`,
      needed: `a multiple of ${describeByteSize(unit)}${unit > leastUnitBytes ? ", the page size" : ", as QEMU aligns memory devices"}`,
      fix: `write ${formatByteSize(Math.max(unit, Math.round(bytes / unit) * unit))}`,
    });
  }
  if (device.requested !== undefined && device.requested > device.size) {
    draft.refuse("MEMORY_DEVICE", [...path, "requested"], {
      found: `${describeByteSize(device.requested)} requested of ${device.id}, which has ${describeByteSize(device.size)}`,
      needed: "no more than its size",
      fix: `write ${formatByteSize(device.size)} or less`,
    });
  }
  checkLabel(draft, device, path);
  if (device.kind !== "nvdimm") warnOfBlock(draft, device, path);
}

function checkLabel(draft: Draft, { labelSize, size, id }: MemoryDevice, path: JsonPath): void {
  if (labelSize === undefined) return;
  if (labelSize >= leastLabelBytes && labelSize < size) return;
  draft.refuse("MEMORY_DEVICE", [...path, "labelSize"], {
    found: `a label of ${describeByteSize(labelSize)} on nvdimm ${id} of ${describeByteSize(size)}`,
    needed: `${describeByteSize(leastLabelBytes)} or more, and less than the size`,
    fix: `write ${formatByteSize(leastLabelBytes)}, or leave labelSize out`,
  });
}

/**
 * What Linux adds memory by: 128 MiB, and in guests of 64 GiB and more the largest power of two up to 2 GiB that
 * their memory ends at a multiple of.
 * @see https://elixir.bootlin.com/linux/v6.12/source/arch/x86/mm/init_64.c (probe_memory_block_size)
 */
export function guestBlockBytes(memoryBytes: number): number {
  const least = 128 * mebibyte;
  if (memoryBytes < 64 * gibibyte) return least;
  let block = 2 * gibibyte;
  while (block > least && memoryBytes % block !== 0) block /= 2;
  return block;
}

function warnOfBlock(draft: Draft, device: MemoryDevice, path: JsonPath): void {
  const block = guestBlockBytes(draft.profile.memory.size);
  if (device.size % block === 0 || device.size % deviceUnitBytes(draft, device) !== 0) return;
  draft.warn("MEMORY_ALIGNMENT", [...path, "size"], {
    found: `${device.id} has ${formatByteSize(device.size)}, and Linux adds memory in blocks of ${describeByteSize(block)}`,
    needed: `a multiple of ${describeByteSize(block)}: a Linux guest leaves the whole device unused otherwise`,
    fix: `write ${formatByteSize(Math.max(1, Math.round(device.size / block)) * block)}`,
  });
}

function checkCell(
  draft: Draft,
  device: MemoryDevice,
  cells: readonly Pick<DeviceCell, "id">[],
  path: JsonPath,
): void {
  if (cells.some(({ id }) => id === device.cell)) return;
  draft.refuse("ID_UNKNOWN", [...path, "cell"], {
    found: `cell ${device.cell} for ${device.id}`,
    needed: cells.length === 1 ? "cell 0, the only one" : `one of the cells 0-${cells.length - 1}`,
    fix: "name a cell of the guest: none can be added while it runs",
  });
}

/** Slots and room up to memory.max, for all of the profile's devices together. */
export function checkMemoryRoom(draft: Draft): void {
  const { memory } = draft.profile;
  const { devices } = memory;
  const room = (memory.max ?? memory.size) - memory.size;
  const slotsNeeded = devices.filter(({ kind }) => kind !== "virtio-mem").length;
  const total = devices.reduce((sum, { size }) => sum + size, 0);
  let slots = 0;
  let bytes = 0;
  for (const [index, device] of devices.entries()) {
    const path = ["memory", "devices", index];
    bytes += device.size;
    if (device.kind !== "virtio-mem") slots++;
    if (device.kind !== "virtio-mem" && slots > memory.slots) {
      draft.refuse("MEMORY_MAX", [...path, "kind"], {
        found: `${device.kind} ${device.id} needs slot ${slots} of ${memory.slots}`,
        needed: "a slot for each DIMM and NVDIMM",
        fix: `write "slots": ${slotsNeeded} or more in memory`,
      });
    }
    if (bytes > room) {
      draft.refuse("MEMORY_MAX", [...path, "size"], {
        found: `${describeByteSize(device.size)} of ${device.id}, and ${describeByteSize(Math.max(0, room - bytes + device.size))} of room up to memory.max`,
        needed: "room above memory.size for every memory device",
        fix: `write a memory.max of ${formatByteSize(memory.size + total)} or more`,
      });
    }
  }
}
