import type { PciFunction } from "../host/topology.ts";
import type { TreeExpander, TreeRootPort, TreeSwitch } from "../profile/index.ts";
import { comparePciAddresses } from "../units/index.ts";
import { idMaker } from "./profile-ids.ts";

export interface MirrorOptions {
  /** An expander bus for each root complex of the host, or one for each of its nodes. */
  readonly expanders: "root-complex" | "node";
  /** The fastest link that the guest's root ports can have, in GT/s. */
  readonly fastestLink: number;
  /** Ports of switches can have the links of the host's. Default false. */
  readonly switchLinks?: boolean;
  /** Ids that something else has. */
  readonly taken?: ReadonlySet<string>;
}

export interface MirroredTree {
  /** Expander buses with root ports and switches, as a profile writes them. */
  readonly tree: readonly TreeExpander[];
  /** Where each device goes, by its address: functions of one host slot share a port. */
  readonly placeOf: ReadonlyMap<string, MirroredPlace>;
}

export interface MirroredPlace {
  /** Id of the root port or downstream port. */
  readonly bus: string;
  /** Function of the port's only slot. */
  readonly function: number;
}

/** The functions of one host slot, or a switch with what is below it. */
type Item = { readonly functions: readonly PciFunction[] } | { readonly upstream: PciFunction };

/** A downstream port: the host's, where it has one, and what is below. */
interface Below {
  readonly host?: PciFunction;
  readonly items: readonly Item[];
}

const functionsOfSlot = 8;

/**
 * The part of the host's PCIe tree that the devices hang on, for the guest: an expander bus for each root complex, a
 * root port for each root port, a switch where the host has one, a downstream port for each device, in the host's
 * order. Nothing else of the host is copied. Bridges to conventional PCI are left out: what is behind one hangs on a
 * switch in its place, or on the port itself when it is alone.
 *
 * @param pci every function of the host
 * @param addresses the devices; bridges, and those that the host does not have, are left out
 * @param cellOfNode the guest's cell that is bound to a node of the host
 */
export function mirrorTree(
  pci: readonly PciFunction[],
  addresses: readonly string[],
  cellOfNode: (node: number) => number | undefined,
  options: MirrorOptions,
): MirroredTree {
  return new Mirror(pci, addresses, cellOfNode, options).build();
}

class Mirror {
  private readonly byAddress: ReadonlyMap<string, PciFunction>;
  /** What is below a root bus or bridge, of what the devices need. */
  private readonly below = new Map<string, Set<PciFunction>>();
  private readonly chosen: readonly PciFunction[];
  private readonly cellOfNode: (node: number) => number | undefined;
  private readonly options: MirrorOptions;
  private readonly placeOf = new Map<string, MirroredPlace>();
  private readonly nextId: (word: string) => string;

  constructor(
    pci: readonly PciFunction[],
    addresses: readonly string[],
    cellOfNode: (node: number) => number | undefined,
    options: MirrorOptions,
  ) {
    this.byAddress = new Map(pci.map((fn) => [fn.address, fn]));
    this.cellOfNode = cellOfNode;
    this.options = options;
    this.nextId = idMaker(options.taken);
    this.chosen = addresses
      .flatMap((address) => this.byAddress.get(address) ?? [])
      .filter((fn) => fn.kind === "endpoint")
      .sort((a, b) => comparePciAddresses(a.address, b.address));
    for (const fn of this.chosen) this.hang(fn);
  }

  build(): MirroredTree {
    const tree = this.roots().map(({ node, rootBuses }): TreeExpander => {
      const expander = this.nextId("pxb");
      const ports = rootBuses.flatMap((rootBus) => this.rootPorts(rootBus));
      return {
        expander,
        numaNode: this.cellOfNode(node),
        // Eight to a slot, so that an expander bus has room for 256.
        ports: ports.map((port, index) => ({
          ...port,
          addr: `${Math.floor(index / functionsOfSlot).toString(16)}.${index % functionsOfSlot}`,
        })),
      };
    });
    return { tree, placeOf: this.placeOf };
  }

  /** Puts a function, and the bridges above it, below what they hang on. */
  private hang(fn: PciFunction): void {
    let child: PciFunction = fn;
    for (;;) {
      const parent: PciFunction | undefined =
        child.parent === undefined ? undefined : this.byAddress.get(child.parent);
      const key = parent?.address ?? child.rootBus;
      const siblings = this.below.get(key) ?? new Set();
      this.below.set(key, siblings.add(child));
      if (!parent) return;
      child = parent;
    }
  }

  /** One for each expander bus: the root buses below it and their node. */
  private roots(): { node: number; rootBuses: string[] }[] {
    const nodes = new Map<string, number>();
    for (const fn of this.chosen) {
      const known = nodes.get(fn.rootBus);
      if (known === undefined || known < 0) nodes.set(fn.rootBus, fn.node);
    }
    const roots = [...nodes].map(([rootBus, node]) => ({ node, rootBuses: [rootBus] }));
    if (this.options.expanders === "root-complex") return roots;
    return [...new Set(nodes.values())].map((node) => ({
      node,
      rootBuses: roots.filter((root) => root.node === node).flatMap((root) => root.rootBuses),
    }));
  }

  private rootPorts(rootBus: string): TreeRootPort[] {
    const children = this.sorted(rootBus);
    const integrated = bySlot(children.filter((fn) => fn.kind === "endpoint"));
    const ports = children.filter((fn) => fn.kind !== "endpoint");
    return [
      ...integrated.map((functions) => this.rootPort(undefined, [{ functions }])),
      ...ports.map((port) => this.rootPort(port, this.itemsBelow(port))),
    ];
  }

  private rootPort(host: PciFunction | undefined, items: readonly Item[]): TreeRootPort {
    const rootPort = this.nextId("rp");
    const below = this.hangItems(rootPort, items);
    return {
      rootPort,
      hotplug: below === undefined,
      ...linkOf(host, this.options.fastestLink),
      switch: below,
    };
  }

  /** Puts one device straight on the port, and everything else below a switch. */
  private hangItems(port: string, items: readonly Item[]): TreeSwitch | undefined {
    const [item] = items;
    if (!item || items.length > 1) {
      return this.switchOf(
        undefined,
        items.map((each) => ({ items: [each] })),
      );
    }
    if ("upstream" in item) {
      const ports = this.sorted(item.upstream.address);
      const integrated = bySlot(ports.filter((fn) => fn.kind === "endpoint"));
      return this.switchOf(item.upstream, [
        ...integrated.map((functions) => ({ items: [{ functions }] })),
        ...ports
          .filter((fn) => fn.kind !== "endpoint")
          .map((fn) => ({ host: fn, items: this.itemsBelow(fn) })),
      ]);
    }
    const [first] = item.functions;
    for (const fn of item.functions) {
      // The guest looks at function 0 first, and where it is empty at none of the others.
      this.placeOf.set(fn.address, { bus: port, function: fn === first ? 0 : functionOf(fn) });
    }
    return undefined;
  }

  private switchOf(host: PciFunction | undefined, ports: readonly Below[]): TreeSwitch {
    const upstream = this.nextId("sw");
    return {
      upstream,
      ...this.switchLink(host),
      downstream: ports.map(({ host: hostPort, items }) => {
        const port = this.nextId("dp");
        // Its device stays, and a port that expects none takes no address space for one.
        return {
          port,
          hotplug: false,
          ...this.switchLink(hostPort),
          switch: this.hangItems(port, items),
        };
      }),
    };
  }

  private switchLink(host: PciFunction | undefined): Pick<TreeSwitch, "speed" | "width"> {
    return this.options.switchLinks === true ? linkOf(host, Number.POSITIVE_INFINITY) : {};
  }

  private itemsBelow(port: PciFunction): Item[] {
    const children = this.sorted(port.address);
    const slots = bySlot(children.filter((fn) => fn.kind === "endpoint"));
    return [
      ...slots.map((functions) => ({ functions })),
      ...children.flatMap((fn): Item[] => {
        if (fn.kind === "endpoint") return [];
        return fn.kind === "upstream-port" ? [{ upstream: fn }] : this.itemsBelow(fn);
      }),
    ];
  }

  private sorted(parent: string): PciFunction[] {
    return [...(this.below.get(parent) ?? [])].sort((a, b) => comparePciAddresses(a.address, b.address));
  }
}

/** Functions by slot, in order. */
function bySlot(functions: readonly PciFunction[]): PciFunction[][] {
  const slots = new Map<string, PciFunction[]>();
  for (const fn of functions) {
    const slot = fn.address.slice(0, -2);
    slots.set(slot, [...(slots.get(slot) ?? []), fn]);
  }
  return [...slots.values()];
}

function functionOf({ address }: PciFunction): number {
  return Number(address.at(-1));
}

const widths = [1, 2, 4, 8, 12, 16, 32] as const;
const speeds = [
  [64, "64"],
  [32, "32"],
  [16, "16"],
  [8, "8"],
  [5, "5"],
  [2.5, "2_5"],
] as const;

/** The most that the port can do; what an idle link runs at says nothing. */
function linkOf(port: PciFunction | undefined, fastest: number): Pick<TreeRootPort, "speed" | "width"> {
  const speed = Math.min(port?.link?.maxSpeed ?? 0, fastest);
  return {
    speed: speeds.find(([known]) => known <= speed)?.[1],
    width: widths.find((width) => width === port?.link?.maxWidth),
  };
}
