import { numberOf } from "./context.ts";
import type { Reading } from "./reading.ts";

export interface PciAddress {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
}

/** A port of the tree, whose name a device may take over. */
export type NamedPort = { rootPort: string } | { port: string };

interface PciTree {
  /** The ports of the tree by libvirt's number of their bus. */
  readonly names: Map<number, string>;
  readonly named: Map<number, NamedPort>;
  readonly conventional: ReadonlySet<number>;
}

/** Where devices of the domain sit in the profile's tree. */
export class PciBuses {
  private readonly names: Map<number, string>;
  private readonly ports: ReadonlyMap<number, NamedPort>;
  /** Buses behind bridges to conventional PCI. */
  private readonly conventional: ReadonlySet<number>;
  private readonly used = new Set<string>();
  /** The slot of the host whose functions a port has. */
  private readonly hostSlots = new Map<string, string>();
  private readonly replan: boolean;

  constructor(tree: Pick<PciTree, "names" | "named" | "conventional">, replan: boolean) {
    this.names = tree.names;
    this.ports = tree.named;
    this.conventional = tree.conventional;
    this.replan = replan;
  }

  /** The place of a function of the host: those of one slot may share a port, as they do on the host. */
  placeOf(device: Reading, host: string): { bus?: string; attach?: "pci" } {
    const element = device.one("address");
    const address = element && addressOf(element);
    if (!address || this.replan) return {};
    if (this.conventional.has(address.bus)) return { attach: "pci" };
    const name = this.names.get(address.bus);
    const slot = host.slice(0, -2);
    const isFunction = address.function === 0 || address.function === Number(host.at(-1));
    const sharesSlot = name !== undefined && (this.hostSlots.get(name) ?? slot) === slot;
    if (
      name !== undefined &&
      sharesSlot &&
      isFunction &&
      (this.hostSlots.has(name) || !this.used.has(name))
    ) {
      this.hostSlots.set(name, slot);
      this.used.add(name);
      return { bus: name };
    }
    const bus = this.busOf(device);
    return bus === undefined ? {} : { bus };
  }

  /** Names the port of a device that the planner makes after it, so that it goes there. */
  keepFor(device: Reading, id: string): void {
    const element = device.one("address");
    const address = element && addressOf(element);
    const port = address && this.ports.get(address.bus);
    if (this.busOf(device) === undefined || !port || !address) return;
    if ("rootPort" in port) port.rootPort = `rp-${id}`;
    else port.port = `rp-${id}`;
    this.names.set(address.bus, `rp-${id}`);
  }

  /** The port of a device, by its address; undefined leaves it to the planner. A second device of a port is told. */
  busOf(device: Reading): string | undefined {
    const element = device.one("address");
    const address = element && addressOf(element);
    if (!address || this.replan) return undefined;
    const name = this.names.get(address.bus);
    if (name === undefined) {
      if (address.bus === 0)
        element?.improve(
          "on a port of its own, which can be hot-plugged, instead of pcie.0: its address changes",
        );
      else element?.drop("a bus that the profile does not have: the planner finds a port");
      return undefined;
    }
    if (this.used.has(name) || address.slot !== 0 || address.function !== 0) {
      element?.drop(`${name} has a device already, and a port takes one: the planner finds another`);
      return undefined;
    }
    this.used.add(name);
    return name;
  }
}

/** A PCI address; those of other kinds (drive, virtio-serial, usb) are the planner's. */
export function addressOf(element: Reading): PciAddress | undefined {
  const type = element.attribute("type");
  if (type !== undefined && type !== "pci") {
    for (const name of element.node.attributes.keys()) element.attribute(name);
    return undefined;
  }
  const domain = numberOf(element, "domain") ?? 0;
  if (domain !== 0) element.dropAttribute("domain", "a guest has domain 0 alone");
  element.attribute("multifunction");
  const [bus, slot, fn] = [
    numberOf(element, "bus"),
    numberOf(element, "slot"),
    numberOf(element, "function"),
  ];
  // What is left out is 0; an address that says nothing asks libvirt for one.
  if (bus === undefined && slot === undefined) return undefined;
  return { bus: bus ?? 0, slot: slot ?? 0, function: fn ?? 0 };
}
