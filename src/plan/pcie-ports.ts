import type { JsonPath } from "../errors/index.ts";
import type { TreeRootPort } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import type { DeviceOption, Properties } from "./options.ts";
import { formatAddr, type SlotFunction, type Slots } from "./pcie-slots.ts";
import type { PlannedDevice } from "./types.ts";

export interface PortPlace extends SlotFunction {
  readonly bus: string;
}

interface Port {
  readonly id: string;
  readonly driver: "pcie-root-port" | "x3130-upstream" | "xio3130-downstream";
  readonly place: PortPlace;
  readonly path: JsonPath;
  readonly chassis: number | undefined;
  readonly slot: number | undefined;
  readonly busReserve: number;
  readonly properties: Properties;
  readonly because: readonly string[];
}

type DownstreamNode = NonNullable<TreeRootPort["switch"]>["downstream"][number];

/**
 * The ports of the tree. Chassis and slot are what a guest names a hot-plug slot by: both unique, 1 to 255, and
 * shared by root ports and downstream ports.
 */
export class Ports {
  private readonly draft: Draft;
  private readonly ports: Port[] = [];

  constructor(draft: Draft) {
    this.draft = draft;
  }

  addRootPort(port: TreeRootPort, path: JsonPath, place: PortPlace, because: readonly string[]): void {
    this.ports.push({
      id: port.rootPort,
      driver: "pcie-root-port",
      place,
      path,
      chassis: port.chassis,
      slot: port.slot,
      busReserve: port.busReserve ?? 0,
      properties: {
        hotplug: port.hotplug ? undefined : false,
        "bus-reserve": port.busReserve,
        "io-reserve": port.ioReserve,
        "mem-reserve": port.memReserve,
        "pref64-reserve": port.pref64Reserve,
        "x-speed": port.speed,
        "x-width": port.width?.toString(),
      },
      because,
    });
  }

  /** A port for one device, or a spare one. */
  addAutomatic(id: string, place: PortPlace, because: readonly string[]): void {
    this.ports.push({
      id,
      driver: "pcie-root-port",
      place,
      path: [],
      chassis: undefined,
      slot: undefined,
      busReserve: 0,
      properties: { "io-reserve": 0 },
      because,
    });
  }

  addUpstream(id: string, bus: string, because: readonly string[]): void {
    this.ports.push({
      id,
      driver: "x3130-upstream",
      place: { bus, slot: 0, function: 0 },
      path: [],
      chassis: undefined,
      slot: undefined,
      busReserve: 0,
      properties: {},
      because,
    });
  }

  addDownstream(node: DownstreamNode, path: JsonPath, place: PortPlace, because: readonly string[]): void {
    this.ports.push({
      id: node.port,
      driver: "xio3130-downstream",
      place,
      path,
      chassis: node.chassis,
      slot: node.slot,
      busReserve: 0,
      properties: { hotplug: node.hotplug ? undefined : false },
      because,
    });
  }

  all(): readonly { readonly id: string; readonly busReserve: number }[] {
    return this.ports;
  }

  /** Numbers the ports and spells them as devices, in the order they were added. */
  finish(
    slotsOf: (bus: string) => Slots | undefined,
    numaNodeOf: (bus: string) => number | undefined,
  ): { device: PlannedDevice; option: DeviceOption; because: readonly string[] }[] {
    const chassis = new Numbering(this.ports.flatMap((port) => port.chassis ?? []));
    const slotNumbers = new Numbering(this.ports.flatMap((port) => port.slot ?? []));
    this.checkFixedNumbers();
    return this.ports.map((port) => {
      const slots = slotsOf(port.place.bus);
      const multifunction = port.place.function === 0 && slots?.isMultifunction(port.place.slot) === true;
      if (slots && !slots.hasFunctionZero(port.place.slot)) {
        this.draft.refuse("PCIE_PLACEMENT", [...port.path, "addr"], {
          found: `${port.id} at ${formatAddr(port.place)} with nothing at function 0`,
          needed: "function 0 in the same slot: without it the guest sees none of the others",
          fix: "put a port at function 0, or leave addr out",
        });
      }
      const isSwitch = port.driver === "x3130-upstream";
      return {
        device: {
          id: port.id,
          driver: port.driver,
          bus: port.place.bus,
          slot: port.place.slot,
          function: port.place.function,
          numaNode: numaNodeOf(port.place.bus),
        },
        option: {
          option: "device",
          driver: port.driver,
          id: port.id,
          properties: {
            bus: port.place.bus,
            addr: formatAddr(port.place),
            multifunction: multifunction ? true : undefined,
            port: isSwitch ? undefined : port.place.slot * 8 + port.place.function,
            chassis: isSwitch ? undefined : (port.chassis ?? this.next(chassis, port)),
            slot: isSwitch ? undefined : (port.slot ?? this.next(slotNumbers, port)),
            ...port.properties,
          },
        },
        because: port.because,
      };
    });
  }

  private next(numbering: Numbering, port: Port): number {
    const number = numbering.next();
    if (number === 256) {
      this.draft.refuse("PCIE_CHASSIS", ["pcie"], {
        found: `${port.id} is the 256th port`,
        needed: "255 ports at most, each with a chassis number of its own",
        fix: "use fewer ports",
      });
    }
    return number;
  }

  private checkFixedNumbers(): void {
    const owners = new Map<string, string>();
    for (const port of this.ports) {
      for (const [key, value] of [
        ["chassis", port.chassis],
        ["slot", port.slot],
      ] as const) {
        if (value === undefined) continue;
        const other = owners.get(`${key} ${value}`);
        if (other !== undefined) {
          this.draft.refuse("PCIE_CHASSIS", [...port.path, key], {
            found: `${key} ${value} of ${port.id}, which ${other} has`,
            needed: `a ${key} number of its own: QEMU refuses two equal pairs, and guests name slots by it`,
            fix: `leave ${key} out, or write another number`,
          });
        }
        owners.set(`${key} ${value}`, port.id);
      }
    }
  }
}

/** Counts from 1, leaving out the numbers that the profile has fixed. */
class Numbering {
  private readonly fixed: ReadonlySet<number>;
  private last = 0;

  constructor(fixed: readonly number[]) {
    this.fixed = new Set(fixed);
  }

  next(): number {
    do this.last++;
    while (this.fixed.has(this.last));
    return this.last;
  }
}
