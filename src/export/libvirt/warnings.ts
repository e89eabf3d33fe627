import { type Diagnostic, formatJsonPath, type JsonPath } from "../../errors/index.ts";
import { keyOf, unsaidOf } from "../../import/libvirt/index.ts";
import type { Placement } from "../../plan/types.ts";
import type { Profile } from "../../profile/index.ts";
import { formatIdSet, idUnion } from "../../units/index.ts";
import type { Difference } from "./difference.ts";

type Problem = Pick<Diagnostic, "found" | "needed" | "fix">;

export function warning(path: JsonPath, problem: Problem): Diagnostic {
  return { code: "EXPORT_LOSS", severity: "warning", path, ...problem };
}

/** What is in the metadata, and what a guest that libvirt starts has instead. */
export function tellUnsaid({ steps, value }: Difference, profile: Profile): Diagnostic[] {
  const instead = unsaidOf(steps, value)?.instead;
  if (instead === undefined) return [];
  const path = pathOf(steps, profile);
  return [
    warning(path, {
      found: `${formatJsonPath(path)}, for which libvirt has no element; it is in the metadata`,
      needed: `nothing for qlaunch import, which gives it back; a guest that libvirt starts has ${instead}`,
      fix: "see whether the guest can do without it under libvirt",
    }),
  ];
}

/** What does not come back. */
export function tellLost({ steps }: Difference, profile: Profile): Diagnostic {
  const path = pathOf(steps, profile);
  return warning(path, {
    found: `${formatJsonPath(path)}, which neither libvirt's elements nor the metadata can say`,
    needed: "a profile of which the domain has all, for an import that gives the same plan",
    fix: "keep the profile beside the domain",
  });
}

/** What automatic pinning keeps from other VMs, which pins by hand do not. */
export function tellKept({ vcpus, idleCpus = [] }: Placement): Diagnostic[] {
  const cores = vcpus.flatMap(({ hostCpus = [], exclusive }) =>
    exclusive && hostCpus.length > 1 ? [hostCpus] : [],
  );
  const kept = idUnion([idleCpus, ...cores]);
  if (kept.length === 0) return [];
  return [
    warning(["pinning"], {
      found: `host CPU ${formatIdSet(kept)}, which automatic pinning keeps from other VMs`,
      needed: "pins by hand, which are all that a domain has: they keep single CPUs alone",
      fix: "keep the profile beside the domain",
    }),
  ];
}

/** Elements that libvirt has not had for long; an older one passes over them or refuses the domain. */
export function tellNewer({ disks, filesystems, tpm, passthrough, watchdog }: Profile): Diagnostic[] {
  const newer = (path: JsonPath, what: string, version: string) =>
    warning(path, {
      found: `${what}, which libvirt has since ${version}`,
      needed: `libvirt ${version} or newer to start the domain as it is`,
      fix: "see what `virsh version` says",
    });
  return [
    ...disks.flatMap(({ device }, index) =>
      device === "nvme" ? newer(["disks", index, "device"], "an NVMe disk", "11.5") : [],
    ),
    ...filesystems.flatMap(({ type }, index) =>
      type === "virtiofs"
        ? newer(["filesystems", index, "type"], "virtiofs of an ordinary user's libvirt", "10.0")
        : [],
    ),
    ...(tpm?.state === undefined ? [] : [newer(["tpm", "state"], "a folder for a TPM's state", "10.10")]),
    ...(passthrough.backend === "iommufd" ? [newer(["passthrough", "backend"], "iommufd", "12.1")] : []),
    ...(watchdog?.model === "itco" ? [newer(["watchdog", "model"], "the watchdog of q35", "9.1")] : []),
  ];
}

/** Where the profile says it; ports may be of the plan's making, so that these lead to the tree. */
function pathOf(steps: readonly string[], profile: Profile): JsonPath {
  const path: (string | number)[] = [];
  let at: unknown = profile;
  for (const step of steps) {
    if (Array.isArray(at)) {
      const index = at.findIndex((item, place) => keyOf(item, place) === step);
      path.push(index);
      at = at[index];
    } else {
      path.push(step);
      at = typeof at === "object" && at !== null ? (at as Record<string, unknown>)[step] : undefined;
    }
  }
  return path[0] === "pcie" && path[1] === "tree" ? path.slice(0, 2) : path;
}
