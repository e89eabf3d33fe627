import type { JsonPath } from "../errors/index.ts";
import type { QemuFacts } from "../host/topology.ts";
import type { TreeSwitch } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import type { PlannedDevice } from "./types.ts";

/** QEMU's own ports of a switch, since 11.1, and those that are made like chips of Texas Instruments. */
const generic = { upstream: "pcie-upstream-port", downstream: "pcie-downstream-port" } as const;
const ti = { upstream: "x3130-upstream", downstream: "xio3130-downstream" } as const;

export type SwitchDrivers = typeof generic | typeof ti;
export type PortDriver = "pcie-root-port" | SwitchDrivers["upstream"] | SwitchDrivers["downstream"];

/** Drivers of bridges: what sits on them has a bus number of its own. */
export const bridgeDrivers: ReadonlySet<string> = new Set([
  "pcie-root-port",
  generic.upstream,
  generic.downstream,
  ti.upstream,
  ti.downstream,
  "pcie-pci-bridge",
]);

export function isUpstream(driver: string): boolean {
  return driver === generic.upstream || driver === ti.upstream;
}

export function isDownstream(driver: string): boolean {
  return driver === generic.downstream || driver === ti.downstream;
}

/** The ports of switches that this QEMU has: those that can say how fast their links are, where it has them. */
export function switchDrivers(qemu: Pick<QemuFacts, "devices"> | undefined): SwitchDrivers {
  const hasGeneric = Object.values(generic).every((driver) => qemu?.devices.includes(driver));
  return hasGeneric ? generic : ti;
}

/** Whether ports of switches can say how fast their links are. */
export function hasSwitchLinks(drivers: SwitchDrivers): boolean {
  return drivers === generic;
}

type LinkedPort = Pick<TreeSwitch, "speed" | "width">;

/** Link speed and width, as properties. */
export function linkProperties({ speed, width }: LinkedPort) {
  return { "x-speed": speed, "x-width": width?.toString() };
}

/** Refuses a link that the ports of this QEMU cannot have. */
export function checkSwitchLink(draft: Draft, port: LinkedPort, path: JsonPath): void {
  if (hasSwitchLinks(switchDrivers(draft.host.qemu))) return;
  for (const key of ["speed", "width"] as const) {
    if (port[key] === undefined) continue;
    draft.refuse("QEMU_FEATURE", [...path, key], {
      found: `${key} ${port[key]} of a switch's port, and this QEMU has no ${generic.upstream} and ${generic.downstream}`,
      needed: "QEMU 11.1 or newer: the links of older switches are 2.5 GT/s and one lane wide",
      fix: `leave ${key} out`,
    });
  }
}

const acceleratorOrNic = /^0[23]/;

/**
 * Warns of GPUs and NICs below a switch that says it has one lane of 2.5 GT/s: nothing is slower for it but what reads
 * the link and chooses by it, as NCCL does.
 * @see https://gitlab.com/qemu-project/qemu/-/issues/4409
 * @see https://github.com/NVIDIA/nccl/blob/master/src/graph/topo.cc (ncclTopoAddPci)
 */
export function checkSwitchLinks(draft: Draft, devices: readonly PlannedDevice[]): void {
  const classes = new Map((draft.host.pci ?? []).map((fn) => [fn.address, fn.class]));
  const byId = new Map(devices.map((device) => [device.id, device]));
  const slow = devices.filter(
    ({ hostAddress, bus }) =>
      hostAddress !== undefined &&
      acceleratorOrNic.test(classes.get(hostAddress) ?? "") &&
      byId.get(bus)?.driver === ti.downstream,
  );
  if (slow.length === 0) return;
  const { mirror, topology } = draft.profile.pcie;
  const made = mirror === false ? topology && "topology" : "mirror";
  draft.warn("PCIE_LINK", ["pcie", made ?? "tree"], {
    found: `${slow.map(({ id }) => id).join(", ")} below switches of type ${ti.upstream}, whose links say 2.5 GT/s and one lane`,
    needed: `QEMU 11.1 or newer for switches with true link speeds: NCCL counts these with 0.2 GB/s and avoids them`,
    fix: "give NCCL the true speeds: qlaunch nccl PROFILE --topo-file topo.xml, and in the guest NCCL_TOPO_FILE=topo.xml",
  });
}
