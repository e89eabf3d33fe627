import { aliasOf, countIn, type ImportContext, isOn, numberOf } from "./context.ts";
import { aliasIn, type Overrides } from "./overrides.ts";
import type { Reading } from "./reading.ts";

interface PciAddress {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
}

interface Controller {
  readonly reading: Reading;
  readonly index: number;
  /** The name that a user gave it, else libvirt's own: pci.1. */
  readonly id: string;
  readonly model: string;
  readonly address: PciAddress | undefined;
  /** What libvirt calls it: the alias, with "ua-" where a user gave it. */
  readonly alias: string;
}

type Tree = NonNullable<NonNullable<ImportContext["profile"]["pcie"]>["tree"]>;
type RootPort = Extract<Tree[number], { rootPort: string }>;
type Switch = NonNullable<RootPort["switch"]>;

type Named = { rootPort: string } | { port: string };

/** Where devices of the domain sit in the profile's tree. */
export class PciBuses {
  private readonly names: Map<number, string>;
  private readonly ports: ReadonlyMap<number, Named>;
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

interface PciTree {
  /** The ports of the tree by libvirt's number of their bus. */
  readonly names: Map<number, string>;
  readonly named: Map<number, Named>;
  readonly conventional: ReadonlySet<number>;
}

/** Controllers of PCI become the tree; the guest's devices keep their places below them. */
export function readPciTree(devices: Reading | undefined, context: ImportContext): PciBuses {
  const controllers = (devices?.all("controller") ?? [])
    .filter((each) => each.attribute("type") === "pci")
    .map(readController);
  const names = new Map<number, string>();
  const named = new Map<number, Named>();
  const children = (index: number) =>
    controllers
      .filter(({ address, model }) => address?.bus === index && model !== "pcie-root")
      .sort((a, b) => placeOf(a) - placeOf(b));
  const below = (index: number): Switch | undefined => {
    const upstream = children(index).find(({ model }) => model === "pcie-switch-upstream-port");
    if (!upstream) return undefined;
    const ports = children(upstream.index).filter(({ model }) => model === "pcie-switch-downstream-port");
    return {
      upstream: upstream.id,
      ...linkOf(upstream, context.overrides),
      downstream: ports.map((port) => {
        const { id } = port;
        names.set(port.index, id);
        const inner = below(port.index);
        const made = { port: id, ...common(port, context.overrides), ...(inner ? { switch: inner } : {}) };
        named.set(port.index, made);
        return made;
      }),
    };
  };
  const rootPort = (port: Controller): RootPort => {
    const { id } = port;
    const inner = below(port.index);
    if (!inner) names.set(port.index, id);
    const made = {
      rootPort: id,
      ...rootOptions(port, context.overrides),
      ...(inner ? { switch: inner } : {}),
    };
    named.set(port.index, made);
    return made;
  };
  const tree: Tree = children(0).flatMap((each): Tree => {
    if (each.model === "pcie-root-port") return [rootPort(each)];
    if (each.model !== "pcie-expander-bus") return [];
    const target = each.reading.one("target");
    const busNr = target && numberOf(target, "busNr");
    const node = target?.one("node");
    return [
      {
        expander: each.id,
        ...(busNr === undefined ? {} : { busNr }),
        ...(node === undefined ? {} : { numaNode: countIn(node, 0) }),
        ...addrOf(each),
        ports: children(each.index)
          .filter(({ model }) => model === "pcie-root-port")
          .map(rootPort),
      },
    ];
  });
  for (const each of controllers) tellOf(each, context.replan);
  // A port more than the domain has would be one more device for the guest.
  if (!context.replan) {
    context.profile.pcie = {
      ...context.profile.pcie,
      ...(tree.length > 0 ? { tree } : {}),
      spareRootPorts: 0,
    };
  }
  const conventional = new Set(
    controllers.flatMap(({ model, index }) => (model === "pcie-to-pci-bridge" ? index : [])),
  );
  return new PciBuses({ names: context.replan ? new Map() : names, named, conventional }, context.replan);
}

function readController(reading: Reading): Controller {
  const index = numberOf(reading, "index") ?? 0;
  const model = reading.attribute("model") ?? (index === 0 ? "pcie-root" : "pcie-root-port");
  const element = reading.one("address");
  const kind = reading.one("model");
  kind?.attribute("name");
  const id = aliasOf(reading) ?? `pci.${index}`;
  const alias = aliasIn(reading, `pci.${index}`);
  return { reading, index, id, model, address: element && addressOf(element), alias };
}

function tellOf({ reading, model, address }: Controller, replan: boolean): void {
  const known = [
    "pcie-root",
    "pcie-root-port",
    "pcie-expander-bus",
    "pcie-switch-upstream-port",
    "pcie-switch-downstream-port",
  ];
  if (!known.includes(model)) {
    reading.replace(`${model}: bridges to conventional PCI are made where a device needs one`);
    return;
  }
  if (replan) reading.improve("laid out anew");
  else if (model !== "pcie-root" && !address) {
    reading.drop(
      "no address, so the planner makes ports where devices need them: `virsh dumpxml` prints those that libvirt chose",
    );
    return;
  } else if (model === "pcie-root")
    reading.improve(
      "ports reserve I/O space only where a device needs it, and each has a slot number of its own",
    );
  else if (model === "pcie-switch-upstream-port")
    reading.improve(
      "a port of the switch that has its device from the start takes no other while the guest runs",
    );
  const hole = reading.one("pcihole64");
  hole?.improve("the 64-bit window is computed from the devices: pcie.mmio64");
  hole?.attribute("unit");
  hole?.text();
}

/** What root ports and downstream ports have. */
function common(port: Controller, overrides: Overrides) {
  const target = port.reading.one("target");
  const chassis = target && numberOf(target, "chassis");
  const hotplug = isOn(target?.attribute("hotplug"));
  const slot = overrides.number(port.alias, "slot");
  // libvirt makes it from the address, as the planner does.
  const number = target && numberOf(target, "port");
  const { address } = port;
  if (number !== undefined && address && number !== address.slot * 8 + address.function)
    target?.improve(`port number ${address.slot * 8 + address.function}, which goes by the address`);
  return {
    ...addrOf(port),
    ...(chassis === undefined || chassis === 0 ? {} : { chassis }),
    ...(slot === undefined || slot === 0 ? {} : { slot }),
    ...(hotplug === undefined ? {} : { hotplug }),
    ...linkOf(port, overrides),
  };
}

/** What a root port keeps for what is below it. */
function rootOptions(port: Controller, overrides: Overrides) {
  const target = port.reading.one("target");
  // In KiB, since libvirt 10.3.
  const kibibytes = target && numberOf(target, "memReserve");
  const given = {
    ioReserve: overrides.number(port.alias, "io-reserve"),
    memReserve: overrides.number(port.alias, "mem-reserve") ?? (kibibytes && kibibytes * 1024),
    pref64Reserve: overrides.number(port.alias, "pref64-reserve"),
    busReserve: overrides.number(port.alias, "bus-reserve"),
  };
  return { ...common(port, overrides), ...withoutUndefined(given) };
}

const speeds = ["2_5", "5", "8", "16", "32", "64"] as const;
const widths = [1, 2, 4, 8, 12, 16, 32] as const;

function linkOf({ alias }: Controller, overrides: Overrides) {
  const [speed, width] = [overrides.text(alias, "x-speed"), overrides.text(alias, "x-width")];
  return withoutUndefined({
    speed: speeds.find((known) => known === speed),
    width: widths.find((known) => String(known) === width),
  });
}

function withoutUndefined<Options extends object>(options: Options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Options]?: NonNullable<Options[Key]>;
  };
}

function addrOf({ address }: Controller): { addr?: string } {
  return address ? { addr: `${address.slot.toString(16)}.${address.function}` } : {};
}

function placeOf({ address }: Controller): number {
  return address ? address.slot * 8 + address.function : 0;
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
