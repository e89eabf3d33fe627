import type { Host, HostCpu, PciFunction } from "../../src/host/index.ts";
import { type Plan, planVm } from "../../src/plan/index.ts";
import { type AnnotatedDevice, type Profile, parseProfile } from "../../src/profile/index.ts";
import { fitGuest, placedProfile, scaleHost, simulateHost } from "../../src/rehearse/index.ts";
import { placesFor } from "../../src/vm/index.ts";

const images = { kernel: "/images/vmlinux", initrd: "/images/initrd.img" };

/** Everything of a rehearsal that is decided before and after the simulated host boots. */
export interface Rehearsed {
  readonly plan: Plan;
  readonly outer: { readonly profile: Profile; readonly plan: Plan; readonly notes: readonly string[] };
  readonly inner: { readonly profile: Profile; readonly plan: Plan; readonly notes: readonly string[] };
  /** Id of each passed-through device. */
  readonly ids: readonly string[];
}

/** Plans a profile for a host, the simulated host for this one, and the guest for the simulated host. */
export async function rehearse(
  given: object,
  host: Host,
  { machine = host, annotated = [] }: { machine?: Host; annotated?: readonly AnnotatedDevice[] } = {},
): Promise<Rehearsed> {
  const profile = await parsed(given);
  const plan = planned(profile, host, annotated);
  const scale = scaleHost(host, plan);
  const simulated = simulateHost(host, plan, scale, images);
  const outerProfile = await parsed(simulated.profile);
  const outerPlan = planned(outerProfile, machine);
  const guest = fitGuest(profile, plan, scale, images);
  const there = simulatedHost(outerPlan, machine);
  const assignment = { ...guest, places: outerPlan.devices, answerMs: 1 };
  const innerProfile = await parsed(placedProfile(assignment, there.pci ?? []).profile);
  return {
    plan,
    outer: { profile: outerProfile, plan: outerPlan, notes: simulated.notes },
    inner: { profile: innerProfile, plan: planned(innerProfile, there), notes: guest.notes },
    ids: guest.devices.map(({ standIn }) => standIn),
  };
}

async function parsed(value: object): Promise<Profile> {
  const { profile, diagnostics } = await parseProfile(JSON.stringify(value), "rehearsed.json");
  if (profile === undefined || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  return profile;
}

function planned(profile: Profile, host: Host, annotated: readonly AnnotatedDevice[] = []): Plan {
  const places = placesFor("/run/qlaunch", profile.name);
  const result = planVm({ profile, host, ledger: [], places, annotated });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, undefined, 1));
  return result.value;
}

/** The simulated host as its own kernel would show it, the buses below its ports numbered by firmware. */
export function simulatedHost({ placement, devices }: Plan, machine: Host): Host {
  const cpus = placement.vcpus.map(
    (vcpu): HostCpu => ({
      ...{ id: vcpu.id, online: true, isolated: false, node: vcpu.cell },
      ...{ socket: vcpu.socket, die: vcpu.die, core: vcpu.core },
      siblings: placement.vcpus
        .filter((other) => other.socket === vcpu.socket && other.core === vcpu.core)
        .map(({ id }) => id),
    }),
  );
  return {
    ...machine,
    cpus,
    nodes: placement.cells.map((cell, _, cells) => ({
      id: cell.id,
      cpus: cell.vcpus,
      memoryBytes: cell.memoryBytes,
      freeBytes: cell.memoryBytes,
      hugepages: [],
      distances: cell.distances ?? cells.map(({ id }) => (id === cell.id ? 10 : 20)),
    })),
    kvm: { usable: true, reason: "" },
    pci: numbered(devices),
    iommu: { enabled: true, vfioPci: "loaded", iommufd: false },
  };
}

function numbered(devices: Plan["devices"]): PciFunction[] {
  const kinds: Readonly<Record<string, PciFunction["kind"]>> = {
    "pcie-root-port": "root-port",
    "x3130-upstream": "upstream-port",
    "xio3130-downstream": "downstream-port",
  };
  const found: PciFunction[] = [];
  let nextBus = 1;
  const walk = (bus: string, busNr: number, rootBus: string, parent: string | undefined) => {
    for (const device of devices.filter((each) => each.bus === bus && each.busNr === undefined)) {
      const address = `0000:${hex(busNr)}:${hex(device.slot)}.${device.function}`;
      const kind = kinds[device.driver] ?? "endpoint";
      found.push({
        ...{ address, rootBus, kind, node: device.numaNode ?? -1, bars: [], vendor: "1234", device: "1111" },
        class: device.driver === "bochs-display" ? "038000" : kind === "endpoint" ? "00ff00" : "060400",
        iommuGroup: found.length,
        ...(parent === undefined ? {} : { parent }),
      });
      if (kind !== "endpoint") walk(device.id, nextBus++, rootBus, address);
    }
  };
  walk("pcie.0", 0, "0000:00", undefined);
  for (const { id, busNr } of devices) {
    if (busNr === undefined) continue;
    nextBus = busNr + 1;
    walk(id, busNr, `0000:${hex(busNr)}`, undefined);
  }
  return found;
}

const hex = (value: number) => value.toString(16).padStart(2, "0");
