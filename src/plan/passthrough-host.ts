import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";
import type { ChosenFunction } from "./passthrough-select.ts";

const devicesPath: JsonPath = ["passthrough", "devices"];

/**
 * What the host must have for any device: IOMMU groups, the driver vfio-pci, and for the backend iommufd its device.
 * @see https://docs.kernel.org/driver-api/vfio.html
 */
export function checkIommu(draft: Draft): void {
  const { iommu, processor } = draft.host;
  if (!iommu) return;
  if (!iommu.enabled) {
    const amd = processor.vendor === "AuthenticAMD";
    draft.refuse("HOST_IOMMU", devicesPath, {
      found: "a host without IOMMU groups",
      needed: "an IOMMU that is switched on: it keeps a device to its guest's memory",
      fix: `switch ${amd ? "AMD-Vi" : "VT-d"} on in the firmware, add ${amd ? "amd_iommu=on" : "intel_iommu=on"} to the kernel's command line and reboot`,
    });
  }
  if (iommu.vfioPci === "absent") {
    draft.refuse("HOST_IOMMU", devicesPath, {
      found: "a kernel without the driver vfio-pci",
      needed: "vfio-pci, which devices for guests are bound to",
      fix: "install the kernel's modules (Debian: linux-image-amd64 instead of the cloud kernel)",
    });
  }
}

/** What stands against each function: another VM, the host itself, virtual functions that would go with it. */
export function checkFunctions(draft: Draft, chosen: readonly ChosenFunction[]): void {
  const holders = new Map(
    draft.ledger.flatMap(({ vm, pciFunctions }) => (pciFunctions ?? []).map((address) => [address, vm])),
  );
  for (const one of chosen) {
    checkHolder(draft, one, holders);
    checkHostUse(draft, one);
  }
  checkGroupHolders(draft, chosen, holders);
}

/** Where an entry is told of: at its address or selector; at the entry for what comes along; at its CDI file. */
export function pathOf({ entry, path, companionOf, annotated }: ChosenFunction): JsonPath {
  if (companionOf !== undefined || annotated?.path === path) return path;
  return [...path, "address" in entry ? "address" : "select"];
}

function checkHolder(draft: Draft, one: ChosenFunction, holders: ReadonlyMap<string, string>): void {
  const vm = holders.get(one.fn.address);
  if (vm === undefined) return;
  if (vm === draft.profile.name) {
    draft.refuse("HOST_DEVICE_BUSY", pathOf(one), {
      found: `${one.fn.address}, which ${vm} has already`,
      needed: "a device that the VM does not have yet",
      fix: `see what it has: qlaunch device list ${vm}`,
    });
    return;
  }
  draft.refuse("HOST_DEVICE_BUSY", pathOf(one), {
    found: `${one.fn.address}, which ${vm} has`,
    needed: "a device that no running VM has",
    fix: `name another device, or stop ${vm} first: qlaunch down ${vm}`,
  });
}

/** VFIO gives a group to one VM as a whole. */
function checkGroupHolders(
  draft: Draft,
  chosen: readonly ChosenFunction[],
  holders: ReadonlyMap<string, string>,
): void {
  const groups = new Map<number, { address: string; vm: string }>();
  for (const { address, iommuGroup } of draft.host.pci ?? []) {
    const vm = holders.get(address);
    if (vm !== undefined && iommuGroup !== undefined && vm !== draft.profile.name) {
      groups.set(iommuGroup, { address, vm });
    }
  }
  const told = new Set(chosen.flatMap(({ fn }) => (holders.has(fn.address) ? (fn.iommuGroup ?? []) : [])));
  for (const one of chosen) {
    const { address, iommuGroup } = one.fn;
    const other = iommuGroup === undefined ? undefined : groups.get(iommuGroup);
    if (iommuGroup === undefined || !other || told.has(iommuGroup)) continue;
    told.add(iommuGroup);
    draft.refuse("HOST_DEVICE_BUSY", pathOf(one), {
      found: `${address} in IOMMU group ${iommuGroup}, of which ${other.vm} has ${other.address}`,
      needed: "a group of which no other VM has a device: VFIO gives it out as a whole",
      fix: `name another device, or stop ${other.vm} first: qlaunch down ${other.vm}`,
    });
  }
}

function checkHostUse(draft: Draft, one: ChosenFunction): void {
  const { address, hostUse, virtualFunctions } = one.fn;
  if (hostUse !== undefined) {
    draft.refuse("HOST_DEVICE_NEEDED", pathOf(one), {
      found: `${address}, which has ${hostUse} of this host`,
      needed: "a device that the host can do without",
      fix:
        "address" in one.entry
          ? "name another device, or move what the host has on it first"
          : "name the other devices by address, or make the selector narrower",
    });
  }
  if (virtualFunctions && virtualFunctions.now > 0) {
    draft.refuse("HOST_DEVICE_NEEDED", pathOf(one), {
      found: `${address} with ${virtualFunctions.now} virtual functions, which go when its driver does`,
      needed: "a device without virtual functions, or one of these instead of it",
      fix: `pass the virtual functions, or write 0 to /sys/bus/pci/devices/${address}/sriov_numvfs`,
    });
  }
}
