import type { JsonPath } from "../errors/index.ts";
import type { MemoryDevice } from "../profile/index.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import type { DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import { memoryBackend } from "./memory-backend.ts";
import { checkMemoryDevices } from "./memory-device-checks.ts";
import type { MemoryDemand } from "./memory-host.ts";
import type { ObjectOption, Properties } from "./options.ts";
import { isHuge, isPreallocated, ordinaryPageBytes } from "./preallocation.ts";
import type { PlacedCell, PlacedMemoryDevice } from "./types.ts";

/** QEMU's driver for each kind. */
const memoryDrivers = { dimm: "pc-dimm", "virtio-mem": "virtio-mem-pci", nvdimm: "nvdimm" } as const;

/** What a memory device needs to know of its cell. */
export type DeviceCell = Pick<PlacedCell, "id" | "hostNodes" | "policy">;

/** What the devices take from the host; an NVDIMM's memory is its file's. */
export function memoryDeviceDemands(draft: Draft, cells: readonly DeviceCell[]): MemoryDemand[] {
  const demands: MemoryDemand[] = [];
  for (const [index, device] of draft.profile.memory.devices.entries()) {
    if (device.kind === "nvdimm") continue;
    const cell = cells.find(({ id }) => id === device.cell);
    const path = ["memory", "devices", index];
    const own = device.pageSize !== undefined;
    demands.push({
      what: `memory device ${device.id}`,
      bytes: device.kind === "virtio-mem" ? (device.requested ?? device.size) : device.size,
      pageSizeBytes: hugePageBytes(draft, device),
      hostNodes: cell?.hostNodes,
      policy: cell?.policy,
      path: [...path, "size"],
      pageSizePath: own ? [...path, "pageSize"] : ["memory", "pageSize"],
    });
  }
  return demands;
}

/**
 * DIMMs, virtio-mem devices and NVDIMMs: a backend bound as the cell is, and the device that shows it to the guest.
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/memory-hotplug.txt
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/nvdimm.txt
 */
export function planMemoryDevices(
  draft: Draft,
  site: DeviceSite,
  cells: readonly DeviceCell[],
): PlacedMemoryDevice[] {
  checkMemoryDevices(draft, cells);
  const devices = draft.profile.memory.devices.map((device, index) => ({ device, index }));
  // QEMU fills addresses in this order, and an NVDIMM with a label ends in the middle of a block of the guest's.
  const inOrder = [
    ...devices.filter(({ device }) => device.kind !== "nvdimm"),
    ...devices.filter(({ device }) => device.kind === "nvdimm"),
  ];
  const placed: PlacedMemoryDevice[] = [];
  for (const { device, index } of inOrder) {
    const cell = cells.find(({ id }) => id === device.cell);
    if (cell) placed.push(planDevice(draft, site, device, cell, ["memory", "devices", index]));
  }
  return placed;
}

function planDevice(
  draft: Draft,
  site: DeviceSite,
  device: MemoryDevice,
  cell: DeviceCell,
  path: JsonPath,
): PlacedMemoryDevice {
  const because = draft.decide("memory", `memory.${device.id}`, {
    value: describe(draft, device, cell),
    rule: rules[device.kind],
    facts: device.path === undefined ? [] : [device.path],
    source: device.kind === "nvdimm" ? "nvdimm" : "memoryHotplug",
  });
  const backend = device.kind === "nvdimm" ? fileBackend(device) : ramBackend(draft, device, cell);
  draft.claimId("object", backend.id, [...path, "id"]);
  draft.add({ ...backend, because: [because] });
  if (device.kind === "virtio-mem") {
    site.place({
      id: device.id,
      driver: memoryDrivers[device.kind],
      properties: {
        memdev: backend.id,
        node: device.cell,
        "requested-size": device.requested ?? device.size,
        prealloc: isPreallocated(draft, pageBytes(draft, device)) ? true : undefined,
      },
      because: [because],
      path,
      bus: undefined,
    });
  } else {
    draft.claimId("device", device.id, [...path, "id"]);
    draft.addLeaf({
      option: "device",
      driver: memoryDrivers[device.kind],
      id: device.id,
      properties: {
        memdev: backend.id,
        node: device.cell,
        "label-size": device.labelSize,
        unarmed: device.unarmed ? true : undefined,
      },
      because: [because],
    });
  }
  if (device.path !== undefined) {
    draft.files.push({
      path: device.path,
      access: device.unarmed ? "read" : "write",
      kind: "file",
      profilePath: [...path, "path"],
      what: `nvdimm ${device.id}`,
    });
  }
  return {
    id: device.id,
    kind: device.kind,
    cell: device.cell,
    memdev: backend.id,
    memoryBytes: device.size,
    hostNodes: device.kind === "nvdimm" ? undefined : cell.hostNodes,
    policy: device.kind === "nvdimm" ? undefined : cell.policy,
    pageSizeBytes: device.kind === "nvdimm" ? 0 : hugePageBytes(draft, device),
  };
}

const rules = {
  dimm: "A DIMM in a slot of its own: its memory is bound as the cell's is, and it can be taken out again when the guest lets go of it. The guest brings it online, at the start too.",
  "virtio-mem":
    "The guest has as much of the device as is requested, and gives back what is taken from the request; its memory is bound as the cell's is.",
  nvdimm:
    "The guest's persistent memory is the file or DAX device itself, mapped shared, so that it is where the file is. Of the size, the label takes its part and the rest is rounded down to the alignment.",
} as const;

function describe(draft: Draft, device: MemoryDevice, cell: DeviceCell): string {
  const huge = hugePageBytes(draft, device);
  const bound = cell.hostNodes ? `${cell.policy} host node ${formatIdSet(cell.hostNodes)}` : "not bound";
  return [
    `${device.kind} of ${describeByteSize(device.size)} on cell ${device.cell}`,
    ...(device.kind === "nvdimm"
      ? [
          ...(device.labelSize ? [`label ${describeByteSize(device.labelSize)}`] : []),
          ...(device.unarmed ? ["read-only"] : []),
        ]
      : [huge > 0 ? `${describeByteSize(huge)} pages` : "ordinary pages", bound]),
  ].join(", ");
}

function ramBackend(draft: Draft, device: MemoryDevice, cell: DeviceCell): Omit<ObjectOption, "because"> {
  const context = `prealloc-node${cell.id}`;
  const hasContext = draft.options.some((option) => option.option === "object" && option.id === context);
  return memoryBackend(draft, {
    id: `ram-${device.id}`,
    sizeBytes: device.size,
    pageSizeBytes: pageBytes(draft, device),
    cell,
    preallocContext: hasContext ? context : undefined,
    sparse: device.kind === "virtio-mem",
  });
}

/** @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html (MemoryBackendFileProperties) */
function fileBackend(device: MemoryDevice): Omit<ObjectOption, "because"> {
  const properties: Properties = {
    "mem-path": device.path,
    size: device.size,
    share: device.share ?? true,
    align: device.align,
    pmem: device.pmem ? true : undefined,
    // An unarmed NVDIMM is one that keeps nothing: the guest may not write to it.
    readonly: device.unarmed ? true : undefined,
  };
  return { option: "object", qomType: "memory-backend-file", id: `ram-${device.id}`, properties };
}

function pageBytes(draft: Draft, device: MemoryDevice): number {
  return device.pageSize ?? draft.profile.memory.pageSize ?? ordinaryPageBytes;
}

/** 0 for ordinary pages, and for what is no size of pages, which is told elsewhere. */
function hugePageBytes(draft: Draft, device: MemoryDevice): number {
  const bytes = pageBytes(draft, device);
  return isHuge(bytes) && Number.isInteger(Math.log2(bytes)) ? bytes : 0;
}
