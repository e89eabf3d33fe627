import { guestAddresses } from "../plan/guest-addresses.ts";
import type { Plan } from "../plan/types.ts";
import type { NcclDevice } from "./devices.ts";
import type { Link } from "./link.ts";

/** A switch or device in the file. */
interface PciNode {
  readonly busid: string;
  readonly class: string;
  readonly link: Link | undefined;
  readonly below: Map<string, PciNode>;
}

/**
 * The file for NCCL_TOPO_FILE: the host's switches and links under the guest's addresses. NCCL takes what the file says
 * of a device over what the guest's sysfs says, and adds the rest itself: GPUs with their NVLinks, NICs with their
 * ports, the model of the processor. A switch that the guest does not have gets an address that no device can have.
 *
 * @see https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html#nccl-topo-file
 * @see https://github.com/NVIDIA/nccl/blob/master/src/graph/xml.cc
 */
export function topoFile(devices: readonly NcclDevice[], plan: Plan): string {
  const busidOf = switchAddresses(devices, guestAddresses(plan));
  const cells = new Map<number, Map<string, PciNode>>();
  for (const device of devices) {
    const cell = cellOf(device, plan);
    const top = cells.get(cell) ?? new Map<string, PciNode>();
    cells.set(cell, top);
    let on = top;
    for (const { id, link } of [...device.host.switches].reverse()) {
      const busid = busidOf.get(id) ?? id;
      const node = on.get(busid) ?? { busid, class: "060400", link, below: new Map<string, PciNode>() };
      on.set(busid, node);
      on = node.below;
    }
    const { guestAddress, class: code, host } = device;
    on.set(guestAddress, { busid: guestAddress, class: code, link: host.link, below: new Map() });
  }
  const lines = [...cells]
    .sort(([a], [b]) => a - b)
    .flatMap(([cell, top]) => [
      `  <cpu${attributes({ numaid: String(cell), affinity: affinityOf(cell, plan) })}>`,
      ...[...top.values()].flatMap((node) => pciLines(node, "    ")),
      "  </cpu>",
    ]);
  return `${['<system version="1">', ...lines, "</system>"].join("\n")}\n`;
}

/** Where the memory is that the device is close to: the cell on its host node, else what the guest sees for it. */
function cellOf({ host, guest }: NcclDevice, { placement: { cells } }: Plan): number {
  const { node } = host;
  if (cells.length === 1) return cells[0]?.id ?? unknownNode;
  const bound = cells.filter(({ hostNodes }) => node !== undefined && hostNodes?.includes(node) === true);
  const nearest = bound.find(({ hostNodes }) => hostNodes?.length === 1) ?? bound[0];
  return nearest?.id ?? guest.node ?? unknownNode;
}

/** What Linux and NCCL say for none. */
const unknownNode = -1;

/**
 * The guest's address of each of the host's switches. Where the guest has as many above a device as the host, and they
 * are the same for all devices, they stand for each other.
 */
function switchAddresses(
  devices: readonly NcclDevice[],
  addresses: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const guestsOf = new Map<string, Set<string | undefined>>();
  const hostsOf = new Map<string, Set<string>>();
  for (const { host, guest } of devices) {
    const isAlike = host.switches.length === guest.switches.length;
    for (const [index, { id }] of host.switches.entries()) {
      const counterpart = isAlike ? guest.switches[index]?.id : undefined;
      guestsOf.set(id, (guestsOf.get(id) ?? new Set()).add(counterpart));
      if (counterpart !== undefined) {
        hostsOf.set(counterpart, (hostsOf.get(counterpart) ?? new Set()).add(id));
      }
    }
  }
  let made = 0;
  return new Map(
    [...guestsOf].map(([id, guests]) => {
      const [counterpart = ""] = guests;
      const isSame = guests.size === 1 && hostsOf.get(counterpart)?.size === 1;
      return [id, (isSame ? addresses.get(counterpart) : undefined) ?? madeUpAddress(made++)];
    }),
  );
}

/** In the last bus of the last domain, which no guest of QEMU has. */
function madeUpAddress(index: number): string {
  return `ffff:ff:${(index >> 3).toString(16).padStart(2, "0")}.${index & 7}`;
}

/** The vCPUs that are there at the start, as Linux numbers them, in its form of a mask: "ff,ffffffff". */
function affinityOf(cell: number, { placement: { vcpus } }: Plan): string | undefined {
  const booted = vcpus.filter(({ boot }) => boot);
  const ids = booted.flatMap((vcpu, rank) => (cell === unknownNode || vcpu.cell === cell ? [rank] : []));
  if (ids.length === 0) return undefined;
  const mask = ids.reduce((sum, id) => sum | (1n << BigInt(id)), 0n);
  const words = Math.ceil(booted.length / 32);
  const digits = mask.toString(16).padStart(words * 8, "0");
  return (digits.match(/.{8}/g) ?? []).join(",");
}

function pciLines({ busid, class: code, link, below }: PciNode, indent: string): string[] {
  const text = attributes({
    busid,
    class: `0x${code}`,
    link_speed: link?.speed === undefined ? undefined : `${link.speed.toFixed(1)} GT/s PCIe`,
    link_width: link && String(link.width),
  });
  if (below.size === 0) return [`${indent}<pci${text}/>`];
  const inner = [...below.values()].flatMap((node) => pciLines(node, `${indent}  `));
  return [`${indent}<pci${text}>`, ...inner, `${indent}</pci>`];
}

/** Addresses, numbers and words of our own: nothing that would have to be escaped. */
function attributes(values: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(values)
    .flatMap(([key, value]) => (value === undefined ? [] : [` ${key}="${value}"`]))
    .join("");
}
