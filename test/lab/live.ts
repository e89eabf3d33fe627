import { readdirSync } from "node:fs";
import {
  addMemoryDevice,
  addVmDevice,
  changeVcpus,
  type DeviceRequest,
  listVcpuThreads,
  listVmOperations,
  listVms,
  type MemoryRequest,
  realSystem,
  removeDevice,
  removeMemory,
} from "../../src/index.ts";
import { pidOf, threadsOf, withQmp } from "./host.ts";

/** Guests are emulated twice here. */
const options = { emit: () => {}, timeoutMs: 200_000 };
const dimm = {
  ...{ cell: undefined, kind: "dimm" as const, id: undefined, pageSize: undefined, requested: undefined },
  ...{ path: undefined, labelSize: undefined, align: undefined, bus: undefined, pmem: false, unarmed: false },
};
const device = {
  ...{ disk: undefined, nic: undefined, object: undefined },
  ...{ id: undefined, bus: undefined, numaCell: undefined },
};

/** What the commands of the same names call; a command more takes seconds in the simulated host. */
export const live = {
  list: () => listVms(realSystem),
  vcpus: (name: string) => listVcpuThreads(realSystem, name),
  operations: (name: string) => listVmOperations(realSystem, name),
  setVcpus: (name: string, count: number) =>
    changeVcpus(realSystem, name, { count: String(count), vcpus: undefined, spread: "balanced" }, options),
  addDimm: (name: string, wish: Partial<MemoryRequest> & Pick<MemoryRequest, "size">) =>
    addMemoryDevice(realSystem, name, { ...dimm, ...wish }, options),
  removeMemory: (name: string, id: string) => removeMemory(realSystem, name, id, options),
  addDevice: (name: string, wish: Partial<DeviceRequest>) =>
    addVmDevice(realSystem, name, { ...device, ...wish }, options),
  removeDevice: (name: string, id: string) => removeDevice(realSystem, name, id, options),
};

/** Everything of QEMU's and the kernel's that a change could leave behind. */
export async function census(name: string): Promise<object> {
  const pid = pidOf(name);
  const qemu = await withQmp(name, async (qmp) => {
    // QEMU keeps them in a hash table, whose order changes with it.
    const names = async (path: string) =>
      (await qmp.execute("qom-list", { path })).map((entry) => entry.name).sort();
    return {
      objects: await names("/objects"),
      devices: await names("/machine/peripheral"),
      memory: await qmp.execute("query-memory-devices"),
      blockDevices: (await qmp.execute("query-block")).length,
      blockNodes: (await qmp.execute("query-named-block-nodes")).map((node) => node["node-name"]),
    };
  });
  return {
    ...qemu,
    vcpuThreads: [...threadsOf(pid).values()].filter((thread) => thread.name.startsWith("CPU ")).length,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  };
}
