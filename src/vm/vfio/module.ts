import { refusal } from "../../errors/index.ts";
import { type System, SystemError } from "../../system/index.ts";
import { hasDriver, vfioPci } from "./pci-function.ts";

/** Loads what gives devices to guests, unless it is there. @throws QlaunchError HOST_IOMMU */
export async function loadVfio(system: System): Promise<void> {
  const { files } = system;
  const said = hasDriver(files, vfioPci) ? "" : await modprobe(system, vfioPci);
  if (!hasDriver(files, vfioPci)) {
    throw refusal("HOST_IOMMU", {
      found: `the driver ${vfioPci} is not there, and modprobe does not load it`,
      needed: "a kernel with CONFIG_VFIO_PCI, and the right to load its modules",
      fix: "run it as root: modprobe vfio-pci; a container shares the modules of its host: load it there",
      ...(said === "" ? {} : { detail: said }),
    });
  }
  // Behind the group's device node. QEMU's own words tell where it is missing.
  if (files.facts("/sys/module/vfio_iommu_type1") === undefined) await modprobe(system, "vfio_iommu_type1");
}

/** @returns what it said */
async function modprobe({ processes }: System, module: string): Promise<string> {
  try {
    return (await processes.run("modprobe", [module])).stderr.trim();
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}
