import type { Draft } from "./draft.ts";
import { pathOf } from "./passthrough-host.ts";
import type { ChosenFunction } from "./passthrough-select.ts";

/** What else in the profile stands against devices of the host: its IOMMU, its balloon. */
export function checkCombinations(draft: Draft, chosen: readonly ChosenFunction[]): void {
  if (chosen.length === 0) return;
  const { balloon } = draft.profile;
  if (draft.profile.machine.viommu) checkViommu(draft, chosen);
  if (balloon !== false) {
    draft.warn("PASSTHROUGH_COMBINATION", ["balloon"], {
      found: "a memory balloon with passed-through devices",
      needed: "no balloon: the devices reach all memory, and QEMU gives none of it back to the host",
      fix: "leave balloon out",
    });
  }
}

/** @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/i386/intel_iommu.c (vtd_iommu_notify_flag_changed) */
function checkViommu(draft: Draft, chosen: readonly ChosenFunction[]): void {
  if (draft.profile.machine.viommu?.cachingMode !== true) {
    draft.refuse("PASSTHROUGH_COMBINATION", ["machine", "viommu", "cachingMode"], {
      found: "an IOMMU of the guest without caching mode, with passed-through devices",
      needed: "caching mode, by which QEMU sees every mapping that the guest makes for a device",
      fix: 'write "cachingMode": true, or leave viommu out',
    });
  }
  const groups = new Map<number, ChosenFunction>();
  for (const one of chosen) {
    const { address, iommuGroup } = one.fn;
    if (iommuGroup === undefined) continue;
    const other = groups.get(iommuGroup);
    if (!other) {
      groups.set(iommuGroup, one);
      continue;
    }
    draft.refuse("PASSTHROUGH_COMBINATION", pathOf(one), {
      found: `${other.fn.address} and ${address} of IOMMU group ${iommuGroup} in a guest with an IOMMU`,
      needed:
        "one device of a group: the guest's IOMMU gives each an address space, and a group has only one",
      fix: "pass one of them through, or leave machine.viommu out",
    });
  }
}

/** Names the way that is taken, which every device has behind it. */
export function decideBackend(draft: Draft, isIommufd: boolean): string {
  return draft.decide("passthrough", "passthrough.backend", {
    value: isIommufd ? "iommufd" : "the legacy container",
    rule: isIommufd
      ? "As the profile says. Devices do not reach each other's memory (P2P) before Linux 6.19 and QEMU 11."
      : "Through the legacy container devices reach each other's memory (P2P) on every kernel; iommufd maps no device memory before Linux 6.19 and QEMU 11.",
    source: "iommufd",
  });
}

const iommufdObject = "iommufd0";

/**
 * How QEMU reaches VFIO. The object is there for devices that come later as well.
 * @returns the id of the object that devices name; undefined for the legacy container
 */
export function planBackend(draft: Draft, devices: number): string | undefined {
  const isIommufd = draft.profile.passthrough.backend === "iommufd";
  if (!isIommufd && devices === 0) return undefined;
  const because = decideBackend(draft, isIommufd);
  if (!isIommufd || !checkIommufd(draft)) return undefined;
  draft.claimId("object", iommufdObject, ["passthrough", "backend"]);
  draft.add({ option: "object", qomType: "iommufd", id: iommufdObject, properties: {}, because: [because] });
  return iommufdObject;
}

function checkIommufd(draft: Draft): boolean {
  const path = ["passthrough", "backend"];
  const { qemu, iommu } = draft.host;
  const known = qemu?.objects ?? [];
  const hasObject = known.length === 0 || known.includes("iommufd");
  if (!hasObject) {
    draft.refuse("QEMU_FEATURE", path, {
      found: `iommufd with QEMU ${qemu?.version.major}.${qemu?.version.minor}, which does not have it`,
      needed: "QEMU 9.0 or newer, built with iommufd",
      fix: 'write "backend": "auto"',
    });
  }
  if (iommu?.iommufd === false) {
    draft.refuse("HOST_IOMMU", path, {
      found: "a host without /dev/iommu",
      needed: "a kernel with iommufd (Linux 6.2 or newer), its module loaded",
      fix: 'modprobe iommufd, or write "backend": "auto"',
    });
  }
  return hasObject;
}
