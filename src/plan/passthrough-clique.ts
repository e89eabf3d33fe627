import type { PciFunction } from "../host/topology.ts";
import type { Draft } from "./draft.ts";
import { pathOf } from "./passthrough-host.ts";
import type { ChosenFunction } from "./passthrough-select.ts";
import { sources } from "./sources.ts";

const nvidia = "10de";
/** QEMU has room for numbers 0 to 15. */
const mostCliques = 16;

/**
 * Which GPUs the guest's driver may let reach each other's memory, by address. QEMU tells the driver so in a
 * capability of its own and checks nothing: below one switch of the host they can.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/vfio/pci-quirks.c (x-nv-gpudirect-clique)
 */
export function planCliques(draft: Draft, chosen: readonly ChosenFunction[]): Map<string, number> {
  const wish = (one: ChosenFunction) => one.entry.clique ?? draft.profile.passthrough.clique;
  const fixed = chosen.filter((one) => typeof wish(one) === "number" && (isGpu(one) || isOwnWish(one)));
  const cliques = new Map(fixed.map((one) => [one.fn.address, Number(wish(one))]));
  // What stands against a number for all is told once.
  const ofAll = fixed.find((one) => !isOwnWish(one));
  for (const one of fixed) if (isOwnWish(one) || one === ofAll) checkFixed(draft, one);
  const automatic = chosen.filter((one) => wish(one) === "auto" && isGpu(one));
  if (automatic.length === 0) return cliques;
  const taken = new Set(cliques.values());
  const free = Array.from({ length: mostCliques }, (_, number) => number).filter(
    (number) => !taken.has(number),
  );
  const obstacle = obstacleTo(draft);
  const groups = obstacle === undefined ? switchGroups(draft.host.pci ?? [], automatic) : [];
  for (const [index, group] of groups.entries()) {
    const number = free[index];
    if (number !== undefined) for (const { fn } of group) cliques.set(fn.address, number);
  }
  draft.decide("passthrough", "passthrough.clique", {
    value: describeGroups(groups.slice(0, free.length), free),
    rule: "NVIDIA GPUs below one switch of the host share a clique, by which the guest's driver lets them reach each other's memory; a GPU alone below its switch has none.",
    facts: [
      obstacle ?? `${automatic.length} GPUs, ${groups.flat().length} of them below a switch with another`,
      "QEMU before 8.1 puts the capability at C8h alone, where GPUs since Turing have another",
    ],
    source: sources.clique,
  });
  return cliques;
}

/** The profile's number for all counts for GPUs alone; an entry's own is meant for its device. */
function isOwnWish({ entry, companionOf }: ChosenFunction): boolean {
  return entry.clique !== undefined && companionOf === undefined;
}

function vendorOf({ fn, entry }: ChosenFunction): string {
  return entry.identity?.vendor ?? fn.vendor;
}

function isGpu(one: ChosenFunction): boolean {
  return vendorOf(one) === nvidia && one.fn.class.startsWith("03");
}

function checkFixed(draft: Draft, one: ChosenFunction): void {
  const { fn, path } = one;
  const refuse = (found: string, needed: string, fix: string) =>
    draft.refuse("PASSTHROUGH_CLIQUE", isOwnWish(one) ? [...path, "clique"] : ["passthrough", "clique"], {
      found,
      needed,
      fix,
    });
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

function obstacleTo(draft: Draft): string | undefined {
  if (hidesKvm(draft)) return "the guest hides KVM, so that the driver does not look for cliques";
  if (draft.profile.passthrough.backend === "iommufd") {
    return "iommufd maps no device memory before Linux 6.19 and QEMU 11";
  }
  return undefined;
}

function hidesKvm(draft: Draft): boolean {
  const { features } = draft.profile.cpus;
  return features.kvm === false || features.hypervisor === false;
}

/** GPUs by the switch below their root port, those with company alone, in the order of the switches. */
function switchGroups(pci: readonly PciFunction[], gpus: readonly ChosenFunction[]): ChosenFunction[][] {
  const byAddress = new Map(pci.map((fn) => [fn.address, fn]));
  const topSwitch = (fn: PciFunction): string | undefined => {
    let found: string | undefined;
    for (let parent = byAddress.get(fn.parent ?? ""); parent; parent = byAddress.get(parent.parent ?? "")) {
      if (parent.kind === "upstream-port") found = parent.address;
    }
    return found;
  };
  const groups = new Map<string, ChosenFunction[]>();
  for (const gpu of gpus) {
    const top = topSwitch(gpu.fn);
    if (top !== undefined) groups.set(top, [...(groups.get(top) ?? []), gpu]);
  }
  return [...groups.values()].filter((group) => group.length > 1);
}

function describeGroups(groups: readonly ChosenFunction[][], numbers: readonly number[]): string {
  if (groups.length === 0) return "none";
  return groups
    .map((group, index) => `${numbers[index]}: ${group.map(({ fn }) => fn.address).join(", ")}`)
    .join("; ");
}
