import type { Diagnostic, JsonPath } from "../../errors/index.ts";
import type { Plan } from "../../plan/types.ts";
import type { Profile } from "../../profile/index.ts";
import { warning } from "./warnings.ts";

/** What libvirt and QEMU make in another way of elements that they have, where the guest sees it or does not start. */
export function tellOtherwise(profile: Profile, plan: Plan): Diagnostic[] {
  return [
    ...tellVcpus(profile),
    ...tellVendor(profile, plan),
    ...tellNvdimms(profile, plan),
    ...tellEmptyCells(plan),
    ...tellSerials(profile),
  ];
}

/** Beyond these libvirt asks for an IOMMU with extended interrupts. @see https://libvirt.org/formatdomain.html#iommu-devices */
const mostPlainVcpus = 255;

function tellVcpus({ cpus, machine }: Profile): Diagnostic[] {
  const count = cpus.max ?? cpus.boot;
  if (count <= mostPlainVcpus || machine.viommu?.interruptRemapping === true) return [];
  return [
    warning(["cpus", cpus.max === undefined ? "boot" : "max"], {
      found: `${count} vCPUs without an IOMMU that remaps interrupts`,
      needed: `such an IOMMU in libvirt, which refuses a domain of more than ${mostPlainVcpus} vCPUs without it`,
      fix: 'set machine.viommu with "interruptRemapping": true, or use fewer vCPUs',
    }),
  ];
}

/** The planner's own vendor, without which TCG's processor shows no threads. */
function tellVendor({ cpus: { features } }: Profile, { options }: Plan): Diagnostic[] {
  const cpu = options.find((option) => option.option === "cpu");
  const vendor = cpu?.option === "cpu" ? cpu.properties.vendor : undefined;
  if (vendor === undefined || features.vendor !== undefined) return [];
  return [
    warning(["cpus", "topology"], {
      found: `the processor's vendor ${vendor}, for which libvirt has no element`,
      needed: "nothing for qlaunch import; under TCG a guest that libvirt starts takes threads for cores",
      fix: "use one thread a core under TCG",
    }),
  ];
}

function tellNvdimms({ memory }: Profile, { options }: Plan): Diagnostic[] {
  const machine = options.find((option) => option.option === "machine");
  const isOn = machine?.option === "machine" && machine.properties.nvdimm === true;
  if (!isOn || memory.devices.some(({ kind }) => kind === "nvdimm")) return [];
  return [
    warning(["memory", "slots"], {
      found: "slots that NVDIMMs can come to while the guest runs",
      needed: "an NVDIMM from the start in libvirt, for others to come; DIMMs come without it",
      fix: "see whether the guest needs NVDIMMs later",
    }),
  ];
}

/** QEMU takes no memory backend of no size, which libvirt writes for such a cell. */
function tellEmptyCells({ placement: { cells } }: Plan): Diagnostic[] {
  return cells
    .filter(({ memoryBytes }) => memoryBytes === 0)
    .map(({ id }) =>
      warning(["numa", "cells", id, "memory"], {
        found: `cell ${id} without memory, of which libvirt 9.0 makes a memory backend of 0 bytes`,
        needed: "memory in every cell: QEMU does not start with such a backend",
        fix: "give the cell some memory for libvirt",
      }),
    );
}

/** Serial numbers of disks, by which guests name them. */
function tellSerials({ disks }: Profile): Diagnostic[] {
  return disks.flatMap(({ id, device, serial }, index) => {
    const path: JsonPath = ["disks", index, "serial"];
    if (serial === undefined && device === "virtio-scsi") {
      return warning(path, {
        found: `the SCSI disk ${id} without a serial number, which libvirt gives an identification of its own`,
        needed: `nothing where the guest does not name it by /dev/disk/by-id, where it has one more link`,
        fix: `set "serial" to have the same links`,
      });
    }
    if (serial?.includes(" ") === true && device !== "nvme") {
      return warning(path, {
        found: `the serial number ${JSON.stringify(serial)}, in which libvirt puts "\\" before each blank`,
        needed: "a serial number without blanks, for the guest to see the same",
        fix: "see whether the guest names the disk by it",
      });
    }
    return [];
  });
}
