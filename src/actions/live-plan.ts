import { failure, type Result, refusal, success } from "../errors/index.ts";
import { type Host, type HostNode, type Ledger, readNodes, readOnlineCpus } from "../host/index.ts";
import type { LiveFacts, PlannedAddition } from "../hotplug/index.ts";
import { Draft } from "../plan/draft.ts";
import type { Plan } from "../plan/index.ts";
import { type Profile, resolvePaths } from "../profile/index.ts";
import { takeKeptProfile } from "../profile/kept.ts";
import { type System, SystemError } from "../system/index.ts";
import { placesFor, runRoot } from "../vm/index.ts";
import { keptProfileFile, profileFile } from "../vm/record.ts";

/** The profile that a VM was started from, as its run directory keeps it. @throws QlaunchError VM_STALE */
export async function keptProfile(system: System, name: string): Promise<Profile> {
  const { directory } = placesFor(runRoot(system), name);
  const kept = system.files.tryReadText(keptProfileFile(directory));
  const { profile: own, folder } = kept === undefined ? {} : takeKeptProfile(kept);
  if (own !== undefined) return own;
  const file = profileFile(directory);
  let found: string;
  try {
    const { parseProfile } = await import("../profile/parse.ts");
    const { profile } = await parseProfile(system.files.readText(file), file);
    if (profile !== undefined) return folder === undefined ? profile : resolvePaths(profile, folder);
    found = "is not a profile that this program reads";
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    found = `cannot be read (${error.code})`;
  }
  throw refusal("VM_STALE", {
    found: `${file} ${found}`,
    needed: "the profile that the VM was started from",
    fix: `use the qlaunch that started ${name}`,
  });
}

/**
 * A draft for what comes to a running VM: the planners see the parts given here as all there is of their kind, and of
 * the host and other VMs what is given.
 */
export function liveDraft(
  system: System,
  profile: Profile,
  changes: Partial<Pick<Profile, "disks" | "networks" | "memory">>,
  {
    ledger = [],
    nodes = nodesNow(system),
    ...facts
  }: Partial<Pick<Host, "nodes" | "pci" | "iommu">> & { readonly ledger?: Ledger } = {},
): Draft {
  return new Draft({
    profile: { ...profile, disks: [], networks: [], ...changes },
    host: { ...emptyHost, nodes, ...facts },
    ledger,
    places: placesFor(runRoot(system), profile.name),
  });
}

/** The planners of devices ask of a host for its nodes, and for what is given with them. */
const emptyHost: Omit<Host, "nodes"> = {
  version: 1,
  processor: { vendor: "", model: "", physicalAddressBits: 0 },
  cpus: [],
  kvm: { usable: false, reason: "" },
};

export function nodesNow({ files }: System, pages?: "all" | "ordinary"): readonly HostNode[] {
  return readNodes(files, readOnlineCpus(files), pages);
}

/** What the planners put into the draft, or what they have against it. */
export function finishDraft(
  draft: Draft,
  id: string,
  needs: Partial<Pick<PlannedAddition, "taps" | "bridges" | "passthrough">> = {},
): Result<PlannedAddition> {
  if (draft.problems.some(({ severity }) => severity === "error")) return failure(draft.problems);
  return success(
    {
      id,
      options: [...draft.options, ...draft.leaves],
      files: draft.files,
      taps: needs.taps ?? [],
      bridges: needs.bridges ?? [],
      passthrough: needs.passthrough ?? [],
    },
    draft.problems,
  );
}

/** "disk0" and on, the first that nothing has. */
export async function freeId(
  prefix: string,
  { devices, plan }: Pick<LiveFacts, "devices" | "plan">,
): Promise<string> {
  const taken = new Set((await devices()).map(({ id }) => id));
  for (const option of plan.options) if (option.option === "device" && option.id) taken.add(option.id);
  let number = 0;
  while (taken.has(`${prefix}${number}`)) number++;
  return `${prefix}${number}`;
}

export function accelerator(plan: Plan): "kvm" | "tcg" {
  const machine = plan.options.find((option) => option.option === "machine");
  return machine?.properties.accel === "kvm" ? "kvm" : "tcg";
}
