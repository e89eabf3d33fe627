import type { MemdevInfo, MemoryDeviceInfo } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { type IdSet, sumOf } from "../units/index.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import { openVm } from "../vm/session.ts";
import type { LiveVm } from "./live.ts";
import type { LiveMonitor } from "./recent-answers.ts";

/** A memory device of a running VM, from QEMU's own list. */
export interface PluggedMemory {
  /** Undefined for one that was made without an id. */
  readonly id: string | undefined;
  /** QEMU's word: dimm, nvdimm, virtio-mem and others. */
  readonly kind: MemoryDeviceInfo["type"];
  readonly cell: number | undefined;
  /** What the guest has of it. */
  readonly sizeBytes: number;
  /** The most that it can have. */
  readonly maxBytes: number;
  /** virtio-mem only. */
  readonly requestedBytes: number | undefined;
  readonly blockBytes: number | undefined;
  /** DIMMs and NVDIMMs only. */
  readonly slot: number | undefined;
  readonly addressBytes: number;
  readonly memdev: string | undefined;
  /** It came while the guest ran. */
  readonly hotplugged: boolean | undefined;
}

/** The same, with where its memory is on the host. */
export interface LiveMemoryDevice extends PluggedMemory {
  readonly policy: MemdevInfo["policy"] | undefined;
  readonly hostNodes: IdSet | undefined;
}

/** @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY, QMP_DISCONNECTED */
export async function listMemoryDevices(system: System, name: string): Promise<LiveMemoryDevice[]> {
  const vm = await openVm(system, name);
  try {
    return await readMemoryDevices(vm.qmp);
  } catch (error) {
    throw asRefusal(error, name);
  } finally {
    await vm.close();
  }
}

/** By address. */
export async function readMemoryDevices(qmp: LiveMonitor): Promise<LiveMemoryDevice[]> {
  const [devices, memdevs] = await Promise.all([readPluggedMemory(qmp), qmp.execute("query-memdev")]);
  return devices.map((device) => {
    const backend = memdevs.find(({ id }) => id === device.memdev);
    return { ...device, policy: backend?.policy, hostNodes: backend?.["host-nodes"] };
  });
}

/** By address. */
export async function readPluggedMemory(qmp: LiveMonitor): Promise<PluggedMemory[]> {
  const devices = await qmp.execute("query-memory-devices");
  return devices.map(describe).sort((a, b) => a.addressBytes - b.addressBytes);
}

const objects = "/objects/";

function describe(device: MemoryDeviceInfo): PluggedMemory {
  const { data, type } = device;
  const path = "memdev" in data ? data.memdev : undefined;
  const memdev = path?.startsWith(objects) ? path.slice(objects.length) : path;
  const isDimm = type === "dimm" || type === "nvdimm";
  const isVirtioMem = type === "virtio-mem";
  const size = "size" in data ? data.size : 0;
  return {
    id: data.id,
    kind: type,
    cell: "node" in data ? data.node : undefined,
    sizeBytes: size,
    maxBytes: isVirtioMem ? device.data["max-size"] : size,
    requestedBytes: isVirtioMem ? device.data["requested-size"] : undefined,
    blockBytes: isVirtioMem ? device.data["block-size"] : undefined,
    slot: isDimm ? device.data.slot : undefined,
    addressBytes: isDimm ? device.data.addr : "memaddr" in data ? (data.memaddr ?? 0) : 0,
    memdev,
    hotplugged: isDimm ? device.data.hotplugged : undefined,
  };
}

/** What `ps` and `info` show: the cells' memory and that of the devices on them, persistent memory aside. */
export async function noteMemory({ qmp, journal, plan }: LiveVm): Promise<void> {
  if (qmp.state !== "running") return;
  const devices = (await readPluggedMemory(qmp)).filter(
    ({ kind }) => kind === "dimm" || kind === "virtio-mem",
  );
  const bytesOn = (id: number) => sumOf(devices, ({ cell = 0, sizeBytes }) => (cell === id ? sizeBytes : 0));
  const base = new Map(plan.placement.cells.map(({ id, memoryBytes }) => [id, memoryBytes]));
  const cells = journal.record.cells.map((cell) => ({
    ...cell,
    memoryBytes: (base.get(cell.id) ?? 0) + bytesOn(cell.id),
  }));
  const memoryBytes = sumOf(cells, (cell) => cell.memoryBytes);
  if (JSON.stringify(cells) !== JSON.stringify(journal.record.cells)) journal.update({ cells, memoryBytes });
}
