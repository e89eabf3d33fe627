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
