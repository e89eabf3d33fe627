import type { Files } from "../system/index.ts";
import type { IommuFacts, PciFunction } from "./topology.ts";

/** What the kernel has for giving devices to guests. @see https://docs.kernel.org/driver-api/vfio.html */
export function readIommu(files: Files, functions: readonly Pick<PciFunction, "iommuGroup">[]): IommuFacts {
  const addressBits = readAddressBits(files);
  return {
    enabled: functions.some(({ iommuGroup }) => iommuGroup !== undefined),
    vfioPci: findVfioPci(files),
    iommufd: files.facts("/dev/iommu") !== undefined,
    ...(addressBits === undefined ? {} : { addressBits }),
  };
}

function findVfioPci(files: Files): IommuFacts["vfioPci"] {
  if (files.facts("/sys/bus/pci/drivers/vfio-pci") !== undefined) return "loaded";
  const release = files.tryReadText("/proc/sys/kernel/osrelease")?.trim();
  const lists = ["modules.dep", "modules.builtin"].map((name) => `/lib/modules/${release}/${name}`);
  // A line is "kernel/drivers/vfio/pci/vfio-pci.ko.xz: ..."; the file may be compressed in several ways, or not.
  const isListed = lists.some((list) => /\/vfio-pci\.ko[.:\n]/.test(files.tryReadText(list) ?? ""));
  return isListed ? "available" : "absent";
}

/**
 * The narrowest of the IOMMUs, since a guest's devices may be behind any of them: MGAW of Intel's capability register.
 * Those of AMD do not show theirs.
 * @see https://docs.kernel.org/admin-guide/abi-testing.html (sys-class-iommu-intel-iommu)
 */
function readAddressBits(files: Files): number | undefined {
  const folder = "/sys/class/iommu";
  const widths = (files.list(folder) ?? []).flatMap((unit) => {
    const text = files.tryReadText(`${folder}/${unit}/intel-iommu/cap`)?.trim() ?? "";
    return /^[0-9a-f]{1,16}$/.test(text) ? [Number((BigInt(`0x${text}`) >> 16n) & 0x3fn) + 1] : [];
  });
  return widths.length === 0 ? undefined : Math.min(...widths);
}
