import type { PassedFunction, Plan } from "../../plan/types.ts";
import { basename, type Files } from "../../system/index.ts";

export const pciBus = "/sys/bus/pci";
export const vfioPci = "vfio-pci";

/** @see https://docs.kernel.org/PCI/sysfs-pci.html */
export const functionFolder = (address: string) => `${pciBus}/devices/${address}`;

/** The device node of a group, which the kernel makes when a function of it is bound to vfio-pci. */
export const groupNode = (group: number) => `/dev/vfio/${group}`;

/**
 * What QEMU opens for a function: its group's node, or with iommufd one of its own.
 * @returns undefined where it is not known before the function is bound
 */
export function nodeFor(
  files: Files,
  { address, iommuGroup }: Pick<PassedFunction, "address" | "iommuGroup">,
  iommufd: boolean,
): string | undefined {
  if (!iommufd) return groupNode(iommuGroup);
  const [name] = files.list(`${functionFolder(address)}/vfio-dev`) ?? [];
  return name === undefined ? undefined : `/dev/vfio/devices/${name}`;
}

/** Whether QEMU reaches VFIO through iommufd. @see https://docs.kernel.org/userspace-api/iommufd.html */
export function usesIommufd({ options }: Pick<Plan, "options">): boolean {
  return options.some((option) => option.option === "object" && option.qomType === "iommufd");
}

/** What to do about device nodes that QEMU's user may not open. */
export const nodeAccessFix = (what: string) =>
  `give ${what} to a group: SUBSYSTEM=="vfio*", GROUP="vfio", MODE="0660" in a file of /etc/udev/rules.d; make QEMU a member with sandbox.groups, or leave out sandbox.user`;

/** What decides which driver has a function. Null for none. */
export interface Binding {
  readonly driver: string | null;
  /** The only driver that may have it, when one is named. */
  readonly override: string | null;
}

/** As it is now; undefined when there is no such function. */
export function readBinding(files: Files, address: string): Binding | undefined {
  const folder = functionFolder(address);
  if (files.facts(folder) === undefined) return undefined;
  const driver = files.readLink(`${folder}/driver`);
  const override = files.tryReadText(`${folder}/driver_override`)?.trim() ?? "";
  return {
    driver: driver === undefined ? null : basename(driver),
    // The kernel's word for none.
    override: override === "" || override === "(null)" ? null : override,
  };
}

/** Whether the driver is registered with the PCI bus. */
export function hasDriver(files: Files, driver: string): boolean {
  return files.facts(`${pciBus}/drivers/${driver}`) !== undefined;
}

/** Undefined without an IOMMU. */
export function readGroup(files: Files, address: string): number | undefined {
  const link = files.readLink(`${functionFolder(address)}/iommu_group`);
  return link === undefined ? undefined : Number(basename(link));
}

/** "10de:2335"; undefined when there is no such function. */
export function readIds(files: Files, address: string): string | undefined {
  const id = (name: string) =>
    files
      .tryReadText(`${functionFolder(address)}/${name}`)
      ?.trim()
      .slice(2);
  const vendor = id("vendor");
  const device = id("device");
  return vendor === undefined || device === undefined ? undefined : `${vendor}:${device}`;
}

/**
 * Whether a function answers: config space of one that fell off the bus reads as ones. A virtual function has ones for
 * its ids by the standard, and its class tells.
 */
export function answers(files: Files, address: string): boolean {
  const folder = functionFolder(address);
  const isVirtual = files.readLink(`${folder}/physfn`) !== undefined;
  const word = files.readStart(`${folder}/config`, 12).subarray(isVirtual ? 8 : 0, isVirtual ? 12 : 4);
  return !word.every((byte) => byte === 0xff);
}
