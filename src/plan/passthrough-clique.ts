import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";
import { isCapable, type P2pFacts, type P2pPair, type P2pReason, p2pPairs } from "./p2p.ts";
import { pathOf } from "./passthrough-host.ts";
import type { ChosenFunction } from "./passthrough-select.ts";
import { sources } from "./sources.ts";

const nvidia = "10de";
/** QEMU has room for numbers 0 to 15. */
const mostCliques = 16;

/**
 * Which GPUs the guest's driver may let reach each other's memory, by address. QEMU tells the driver so in a
 * capability of its own and checks nothing, so that `auto` goes by the table of `p2p.ts`.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/vfio/pci-quirks.c (x-nv-gpudirect-clique)
 */
export function planCliques(draft: Draft, chosen: readonly ChosenFunction[]): Map<string, number> {
  const wish = (one: ChosenFunction) =>
    one.entry.clique ?? one.annotated?.clique ?? draft.profile.passthrough.clique;
  const fixed = chosen.filter((one) => typeof wish(one) === "number" && (isGpu(one) || isOwnWish(one)));
  const cliques = new Map(fixed.map((one) => [one.fn.address, Number(wish(one))]));
  // What stands against a number for all is told once.
  const ofAll = fixed.find((one) => !isOwnWish(one) && !isAnnotated(one));
  for (const one of fixed) if (one === ofAll || isOwnWish(one) || isAnnotated(one)) checkFixed(draft, one);
  const automatic = chosen.filter((one) => wish(one) === "auto" && isGpu(one));
  if (automatic.length === 0) return cliques;
  const taken = new Set(cliques.values());
  const free = Array.from({ length: mostCliques }, (_, number) => number).filter(
    (number) => !taken.has(number),
  );
  const obstacle = hidesKvm(draft)
    ? "the guest hides KVM, so that the driver does not look for cliques"
    : undefined;
  const pairs = p2pPairs(
    automatic.map(({ fn }) => fn),
    p2pFacts(draft),
  );
  const groups = obstacle === undefined ? groupGpus(automatic, pairs) : [];
  for (const [index, group] of groups.entries()) {
    const number = free[index];
    if (number !== undefined) for (const { fn } of group) cliques.set(fn.address, number);
  }
  draft.decide("passthrough", "passthrough.clique", {
    value: describeGroups(groups.slice(0, free.length), free),
    rule: "NVIDIA GPUs share a clique, by which the guest's driver lets them reach each other's memory, where the host is known to let them: below one switch or one root complex, with memory that the IOMMU maps. A GPU without such a fellow has none.",
    facts: [
      `${automatic.length} GPUs, ${groups.flat().length} of them with another in reach`,
      ...(obstacle === undefined ? describeObstacles(pairs) : [obstacle]),
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

function isGpu(one: ChosenFunction): boolean {
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

function p2pFacts({ host, profile }: Draft): P2pFacts {
  return { ...host, isIommufd: profile.passthrough.backend === "iommufd", windowEnd: undefined };
}

function hidesKvm(draft: Draft): boolean {
  const { features } = draft.profile.cpus;
  return features.kvm === false || features.hypervisor === false;
}

/** Each joins the first group that it reaches every GPU of, and that reaches it; those with company alone. */
function groupGpus(gpus: readonly ChosenFunction[], pairs: readonly P2pPair[]): ChosenFunction[][] {
  const capable = new Set(pairs.filter(isCapable).map(({ devices }) => devices.join()));
  const reach = (a: ChosenFunction, b: ChosenFunction) => capable.has([a.fn.address, b.fn.address].join());
  const groups: ChosenFunction[][] = [];
  for (const gpu of gpus) {
    const group = groups.find((fellows) => fellows.every((fellow) => reach(fellow, gpu)));
    if (group) group.push(gpu);
    else groups.push([gpu]);
  }
  return groups.filter((group) => group.length > 1);
}

const obstacleWords: Partial<Record<P2pReason["code"], string>> = {
  iommufd: "iommufd maps no device memory before Linux 6.19 and QEMU 11",
  "no-memory": "some have no memory that VFIO maps",
  "beyond-iommu": "64-bit BARs may lie beyond the addresses of the IOMMU, which then cannot map them",
  processor: "whether this processor sends requests from one port on to another is not known",
  "between-root-complexes": "between root complexes it is up to the processor, and not counted on",
};

/** What keeps pairs out of cliques, each once. */
function describeObstacles(pairs: readonly P2pPair[]): string[] {
  const codes = pairs.filter((pair) => !isCapable(pair)).flatMap(({ reasons }) => reasons);
  return [...new Set(codes.flatMap(({ code }) => obstacleWords[code] ?? []))];
}

function describeGroups(groups: readonly ChosenFunction[][], numbers: readonly number[]): string {
  if (groups.length === 0) return "none";
  return groups
    .map((group, index) => `${numbers[index]}: ${group.map(({ fn }) => fn.address).join(", ")}`)
    .join("; ");
}
