import type { Draft } from "./draft.ts";
import type { DeviceOption, QemuOption } from "./options.ts";
import { isCapable, type P2pPair, type P2pReason, p2pPairs } from "./p2p.ts";
import { cliqueWish, hidesKvm, isGpu } from "./passthrough-clique.ts";
import type { ChosenFunction } from "./passthrough-select.ts";
import type { PlannedDevice } from "./types.ts";

/** QEMU has room for numbers 0 to 15. */
const mostCliques = 16;
const decision = "passthrough.clique";

/**
 * The options of devices, with a clique for GPUs that shall have one where the host lets them reach each other. They
 * come last, because that depends on where the guest's BARs lie.
 *
 * @param windowEnd where the guest's 64-bit BARs end
 */
export function withAutomaticCliques(
  draft: Draft,
  chosen: readonly ChosenFunction[],
  {
    devices,
    options,
  }: { readonly devices: readonly PlannedDevice[]; readonly options: readonly QemuOption[] },
  windowEnd: number | undefined,
): readonly QemuOption[] {
  const gpus = chosen.filter((one) => cliqueWish(draft, one) === "auto" && isGpu(one));
  if (gpus.length === 0) return options;
  const taken = new Set(options.map(cliqueOf));
  const cliques = automaticCliques(draft, gpus, taken, windowEnd);
  const addresses = new Map(devices.map(({ id, hostAddress }) => [id, hostAddress]));
  return options.map((option) => {
    if (option.option !== "device") return option;
    const clique = cliques.get(addresses.get(option.id ?? "") ?? "");
    return clique === undefined ? option : withClique(option, clique);
  });
}

function cliqueOf(option: QemuOption) {
  return option.option === "device" ? option.properties["x-nv-gpudirect-clique"] : undefined;
}

function withClique<Option extends DeviceOption & Pick<QemuOption, "because">>(
  option: Option,
  clique: number,
): Option {
  const properties = { ...option.properties, "x-nv-gpudirect-clique": clique };
  return { ...option, properties, because: [...option.because, decision] };
}

function automaticCliques(
  draft: Draft,
  gpus: readonly ChosenFunction[],
  taken: ReadonlySet<unknown>,
  windowEnd: number | undefined,
): Map<string, number> {
  const free = Array.from({ length: mostCliques }, (_, number) => number).filter(
    (number) => !taken.has(number),
  );
  const pairs = p2pPairs(
    gpus.map(({ fn }) => fn),
    { ...draft.host, isIommufd: draft.profile.passthrough.backend === "iommufd", windowEnd },
  );
  const groups = hidesKvm(draft) ? [] : groupGpus(gpus, pairs).slice(0, free.length);
  draft.decide("passthrough", decision, {
    value: describeGroups(groups, free),
    rule: "NVIDIA GPUs share a clique, by which the guest's driver lets them reach each other's memory, where the host is known to let them: below one switch or one root complex, with memory that the IOMMU maps. A GPU without such a fellow has none.",
    facts: [
      `${gpus.length} GPUs, ${groups.flat().length} of them with another in reach`,
      ...(hidesKvm(draft)
        ? ["the guest hides KVM, so that the driver does not look for cliques"]
        : describeObstacles(pairs)),
      "QEMU before 8.1 puts the capability at C8h alone, where GPUs since Turing have another",
    ],
    source: "clique",
  });
  return new Map(
    groups.flatMap((group, index) => group.map(({ fn }) => [fn.address, free[index] ?? 0] as const)),
  );
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
