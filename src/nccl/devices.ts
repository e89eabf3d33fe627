import type { Host, PciFunction } from "../host/topology.ts";
import { guestAddresses } from "../plan/guest-addresses.ts";
import type { Plan } from "../plan/types.ts";
import { comparePciAddresses } from "../units/index.ts";
import { GuestWays } from "./guest-way.ts";
import { hostWay, mostOf } from "./host-way.ts";
import type { Way } from "./way.ts";

/** A GPU or NIC of the host that the guest gets. */
export interface NcclDevice {
  /** As nvidia-smi numbers them, by the guest's addresses: "GPU0", "NIC3". */
  readonly name: string;
  readonly kind: "GPU" | "NIC";
  /** The plan's id. */
  readonly id: string;
  /** Of the host's function, six hexadecimal digits. */
  readonly class: string;
  readonly guestAddress: string;
  readonly hostAddress: string;
  readonly guest: Way;
  readonly host: Way;
}

/** The GPUs and then the NICs that a plan gives to its guest, by the guest's addresses. */
export function ncclDevices(plan: Plan, { pci = [] }: Pick<Host, "pci">): NcclDevice[] {
  const byAddress = new Map(pci.map((fn) => [fn.address, fn]));
  const addresses = guestAddresses(plan);
  const ways = new GuestWays(plan);
  const found = plan.devices.flatMap((device) => {
    const { id, hostAddress = "" } = device;
    const fn = byAddress.get(hostAddress);
    const kind = fn && kindOf(fn);
    const guestAddress = addresses.get(id);
    if (fn === undefined || kind === undefined || guestAddress === undefined) return [];
    const guest = ways.of(device, mostOf(fn));
    return [{ kind, id, class: fn.class, guestAddress, hostAddress, guest, host: hostWay(fn, byAddress) }];
  });
  found.sort((a, b) => comparePciAddresses(a.guestAddress, b.guestAddress));
  return (["GPU", "NIC"] as const).flatMap((kind) =>
    found
      .filter((device) => device.kind === kind)
      .map((device, index) => ({ name: `${kind}${index}`, ...device })),
  );
}

/** By class: display controllers, and network controllers with InfiniBand among them. */
function kindOf({ class: code }: PciFunction): NcclDevice["kind"] | undefined {
  if (code.startsWith("03")) return "GPU";
  return code.startsWith("02") ? "NIC" : undefined;
}
