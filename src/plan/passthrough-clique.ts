import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";
import { pathOf } from "./passthrough-host.ts";
import type { ChosenFunction } from "./passthrough-select.ts";

const nvidia = "10de";

/**
 * The numbers that profile and CDI files give to GPUs, by address. QEMU tells the guest's driver of them in a capability
 * of its own, and checks nothing.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/vfio/pci-quirks.c (x-nv-gpudirect-clique)
 */
export function planCliques(draft: Draft, chosen: readonly ChosenFunction[]): Map<string, number> {
  const fixed = chosen.filter(
    (one) => typeof cliqueWish(draft, one) === "number" && (isGpu(one) || isOwnWish(one)),
  );
  // What stands against a number for all is told once.
  const ofAll = fixed.find((one) => !isOwnWish(one) && !isAnnotated(one));
  for (const one of fixed) if (one === ofAll || isOwnWish(one) || isAnnotated(one)) checkFixed(draft, one);
  return new Map(fixed.map((one) => [one.fn.address, Number(cliqueWish(draft, one))]));
}

/** The entry's own, else a CDI file's, else that for all. */
export function cliqueWish(
  { profile }: Draft,
  { entry, annotated }: ChosenFunction,
): "auto" | "none" | number {
  return entry.clique ?? annotated?.clique ?? profile.passthrough.clique;
}

/** The profile's number for all counts for GPUs alone; an entry's own is meant for its device. */
function isOwnWish({ entry, companionOf }: ChosenFunction): boolean {
  return entry.clique !== undefined && companionOf === undefined;
}

/** So does that of a CDI file, which numbers NICs beside their GPUs. */
function isAnnotated({ entry, annotated }: ChosenFunction): boolean {
  return entry.clique === undefined && annotated?.clique !== undefined;
}

/** Where the number stands. */
function wishPath(one: ChosenFunction): JsonPath {
  if (isOwnWish(one)) return [...one.path, "clique"];
  return isAnnotated(one) ? (one.annotated?.path ?? []) : ["passthrough", "clique"];
}

function vendorOf({ fn, entry }: ChosenFunction): string {
  return entry.identity?.vendor ?? fn.vendor;
}

export function isGpu(one: ChosenFunction): boolean {
  return vendorOf(one) === nvidia && one.fn.class.startsWith("03");
}

function checkFixed(draft: Draft, one: ChosenFunction): void {
  const { fn } = one;
  const refuse = (found: string, needed: string, fix: string) =>
    draft.refuse("PASSTHROUGH_CLIQUE", wishPath(one), { found, needed, fix });
  if (!isGpu(one)) {
    refuse(
      `a clique for ${fn.address}, which is ${vendorOf(one)} of class ${fn.class.slice(0, 4)}`,
      `a display device (class 03) of NVIDIA (${nvidia}): QEMU refuses it for others`,
      "leave clique out for it",
    );
  }
  if (hidesKvm(draft)) {
    refuse(
      `a clique for ${fn.address} in a guest that hides KVM`,
      "KVM's signature, without which the driver does not look for cliques",
      "leave kvm and hypervisor out of cpus.features",
    );
  }
  if (draft.profile.passthrough.backend === "iommufd") {
    draft.warn("PASSTHROUGH_CLIQUE", pathOf(one), {
      found: `a clique for ${fn.address} with backend iommufd`,
      needed: "Linux 6.19 and QEMU 11 or newer, before which iommufd maps no device memory",
      fix: 'write "backend": "legacy", or leave clique out',
    });
  }
}

export function hidesKvm(draft: Draft): boolean {
  const { features } = draft.profile.cpus;
  return features.kvm === false || features.hypervisor === false;
}
