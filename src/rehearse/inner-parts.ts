import type { Plan } from "../plan/types.ts";
import type { Profile } from "../profile/index.ts";
import { nodesOfCell, type Scale } from "./scale.ts";

/** Part of the rehearsed profile, and what is to be said about it. */
export interface FittedPart {
  readonly value: Readonly<Record<string, unknown>>;
  readonly notes: readonly string[];
}

/** Pins by host CPU mean nothing on a host with few: automatic ones take their place where cells are bound. */
export function fitPinning(
  profile: Profile,
  plan: Plan,
  scale: Scale,
  counts: readonly number[],
): FittedPart {
  const { vcpus, granularity, overcommit, emulator, iothreads, reserve } = profile.pinning;
  const { cells } = plan.placement;
  const bound = cells.some(({ hostNodes }) => hostNodes !== undefined);
  const explicit = typeof vcpus === "object";
  const crowded = scale.nodes.some((node) => {
    const own = cells.map((cell, index) =>
      nodesOfCell(scale, cell).includes(node) ? (counts[index] ?? 0) : 0,
    );
    return own.reduce((sum, count) => sum + count, 0) > node.cpus;
  });
  const value = {
    vcpus: explicit ? (bound ? "auto" : "none") : vcpus,
    granularity,
    overcommit: overcommit || crowded,
  };
  const notes = [
    ...(explicit
      ? [
          `guest: explicit pins are exchanged for ${bound ? "automatic ones" : "none: no cell is bound to host nodes"}`,
        ]
      : []),
    ...(emulator || Object.keys(iothreads).length > 0 || reserve.length > 0
      ? ["guest: host CPUs for QEMU's own threads and reserved ones are left out"]
      : []),
    ...(crowded && !overcommit ? ["guest: vCPUs share the few host CPUs"] : []),
  ];
  return { value, notes };
}

/** The section, without its devices: they have other addresses there. */
export function fitPassthrough({ passthrough }: Profile): Readonly<Record<string, unknown>> {
  const { clique, group, attach } = passthrough;
  return { clique, group, attach };
}

/** What a rehearsal does without, one line for each kind. */
export function leftOut(profile: Profile): string[] {
  const { machine, cpus, memory, passthrough, pcie } = profile;
  const named = (values: readonly unknown[], noun: string) => (values.length > 0 ? [noun] : []);
  const given = (value: unknown, noun: string) => (value ? [noun] : []);
  const parts = [
    ...named(profile.disks, "disks"),
    ...named(profile.networks, "networks"),
    ...named(profile.filesystems, "file systems"),
    ...named(memory.devices, "memory devices"),
    ...given(profile.tpm, "TPM"),
    ...given(profile.vsock, "vsock"),
    ...given(profile.watchdog, "watchdog"),
    ...given(profile.balloon, "balloon"),
    ...given(profile.usb, "USB"),
    ...named(profile.fwCfg, "fwCfg"),
    ...named(profile.extraArgs, "extraArgs"),
  ];
  return [
    ...(parts.length > 0 ? [`guest: left out: ${parts.join(", ")}`] : []),
    ...given(memory.pageSize, "guest: huge pages are exchanged for ordinary ones"),
    ...given(memory.locked || memory.max, "guest: memory is neither locked nor to grow"),
    ...given(cpus.boot !== (cpus.max ?? cpus.boot), "guest: every vCPU is there at the start"),
    ...given(
      cpus.model !== "host" || Object.keys(cpus.features).length > 0,
      "guest: the CPU is the simulated host's",
    ),
    ...given(machine.firmware !== "seabios", "guest: the firmware is SeaBIOS, which starts sooner"),
    ...given(machine.type !== "q35", `guest: the machine type is q35 instead of ${machine.type}`),
    ...given(passthrough.backend === "iommufd", "guest: VFIO's legacy container instead of iommufd"),
    ...given(pcie.mmio64 !== "auto", "guest: the 64-bit window is the firmware's: stand-ins have small BARs"),
  ];
}
