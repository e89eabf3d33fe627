import { aliasOf, countIn, type ImportContext, isOn, numberOf } from "./context.ts";
import { aliasIn, type Overrides } from "./overrides.ts";
import { addressOf, type NamedPort, type PciAddress, PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

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

/** Controllers of PCI become the tree; the guest's devices keep their places below them. */
export function readPciTree(devices: Reading | undefined, context: ImportContext): PciBuses {
  const controllers = readControllers(
    (devices?.all("controller") ?? []).filter((each) => each.attribute("type") === "pci"),
  );
  const names = new Map<number, string>();
  const named = new Map<number, NamedPort>();
  const children = (index: number) =>
    controllers
      .filter(({ address, model }) => address?.bus === index && model !== "pcie-root")
      .sort((a, b) => placeOf(a) - placeOf(b));
  const below = (index: number): Switch | undefined => {
    const upstream = children(index).find(({ model }) => model === "pcie-switch-upstream-port");
    if (!upstream) return undefined;
    const ports = children(upstream.index).filter(({ model }) => model === "pcie-switch-downstream-port");
    if (ports.length === 0) {
      upstream.reading.drop("a switch of which no port has an address: the planner makes ports");
      return undefined;
    }
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

/** One without a number has the next that is free, as libvirt gives it. */
function readControllers(readings: readonly Reading[]): Controller[] {
  const given = readings.map((reading) => numberOf(reading, "index"));
  const taken = new Set(given);
  let next = 0;
  return readings.map((reading, place) => {
    while (taken.has(next)) next++;
    const index = given[place] ?? next;
    taken.add(index);
    return readController(reading, index);
  });
}

function readController(reading: Reading, index: number): Controller {
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
