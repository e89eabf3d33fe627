import type { PciFunction } from "../../../src/host/index.ts";
import type { PassedFunction } from "../../../src/plan/types.ts";
import { Journal } from "../../../src/vm/journal.ts";
import type { VmRecord } from "../../../src/vm/record.ts";
import { pciFunction } from "../../host/pci-functions.ts";
import type { VfioHost } from "../../rig/vfio-host.ts";

/** A GPU with its driver, a disk with an override, one without a driver, and one that is on vfio-pci by hand. */
export const functions: readonly PciFunction[] = [
  pciFunction("0000:41:00.0", { vendor: "10de", device: "2335", iommuGroup: 1, driver: "nvidia" }),
  pciFunction("0000:42:00.0", { iommuGroup: 2, driver: "nvme" }),
  pciFunction("0000:43:00.0", { iommuGroup: 3 }),
  pciFunction("0000:44:00.0", { iommuGroup: 4, driver: "vfio-pci" }),
];

/** What a plan has for these functions. */
export const passed = (list: readonly PciFunction[] = functions): PassedFunction[] =>
  list.map(({ address, vendor, device, iommuGroup = 0 }, index) => ({
    address,
    deviceId: `gpu${index}`,
    iommuGroup,
    vendor,
    device,
    profilePath: ["passthrough", "devices", index],
  }));

export const record: VmRecord = {
  format: 1,
  qlaunch: "0.1.0",
  name: "vm",
  uuid: "5f2c9c1e-6a0e-4a3e-9d57-0c3f3d1a2b4c",
  phase: "starting",
  worker: null,
  bootId: "",
  createdMs: 1,
  program: "/usr/bin/qemu-system-x86_64",
  qemu: null,
  helpers: [],
  vcpus: 1,
  memoryBytes: 64,
  cells: [],
  exclusiveCpus: [],
  undo: [{ step: "make the run directory", action: { do: "remove", path: "/run/vm" } }],
};

/** The journal of a VM in /run/vm, whose record is there. */
export function journalOn({ system, tree }: VfioHost, changes: Partial<VmRecord> = {}): Journal {
  const started = { ...record, ...changes };
  tree["/run/vm/vm.json"] = JSON.stringify(started);
  return new Journal(system.files, "/run/vm", started);
}
