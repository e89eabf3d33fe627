import type { JsonPath } from "../errors/index.ts";
import type { TreeRootPort, TreeSwitch } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import type { DeviceOption, Properties } from "./options.ts";
import type { Buses } from "./pcie-bus.ts";
import { planIoWindows } from "./pcie-io.ts";
import { formatAddr, type SlotFunction } from "./pcie-slots.ts";
import {
  checkSwitchLink,
  isDownstream,
  isUpstream,
  linkProperties,
  type PortDriver,
  switchDrivers,
} from "./pcie-switch.ts";
import type { PlannedDevice } from "./types.ts";

export interface PortPlace extends SlotFunction {
  readonly bus: string;
}

interface Port {
  readonly id: string;
  readonly driver: PortDriver;
  readonly place: PortPlace;
  readonly path: JsonPath;
  readonly chassis: number | undefined;
  readonly slot: number | undefined;
  readonly busReserve: number | undefined;
  /** What the profile says; undefined leaves it to what is below. */
  readonly hotplug: boolean | undefined;
  readonly ioReserve: number | undefined;
  /** The others. */
  readonly properties: Properties;
  readonly because: readonly string[];
}

/** Chassis and slot numbers are single bytes, and 0 is not used. */
const numberedPorts = 255;
const ovmfHotplugPorts = 10;

type DownstreamNode = TreeSwitch["downstream"][number];

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
    this.checkSpeed(port, path);
    this.ports.push({
      id: port.rootPort,
      driver: "pcie-root-port",
      place,
      path,
      chassis: port.chassis,
      slot: port.slot,
      busReserve: port.busReserve,
      hotplug: port.hotplug,
      ioReserve: port.ioReserve,
      properties: {
        "mem-reserve": port.memReserve,
        "pref64-reserve": port.pref64Reserve,
        ...linkProperties(port),
      },
      because,
    });
  }

  /** A port for one device, or a spare one, which may keep a 64-bit window for a later device. */
  addAutomatic(id: string, place: PortPlace, because: readonly string[], pref64Reserve?: number): void {
    this.ports.push({
      id,
      driver: "pcie-root-port",
      place,
      path: [],
      chassis: undefined,
      slot: undefined,
      busReserve: undefined,
      hotplug: true,
      ioReserve: undefined,
      properties: { "pref64-reserve": pref64Reserve },
      because,
    });
  }

  addUpstream(node: TreeSwitch, path: JsonPath, bus: string, because: readonly string[]): void {
    checkSwitchLink(this.draft, node, path);
    this.ports.push({
      id: node.upstream,
      driver: switchDrivers(this.draft.host.qemu).upstream,
      place: { bus, slot: 0, function: 0 },
      path,
      chassis: undefined,
      slot: undefined,
      busReserve: undefined,
      hotplug: undefined,
      ioReserve: undefined,
      properties: linkProperties(node),
      because,
    });
  }

  addDownstream(node: DownstreamNode, path: JsonPath, place: PortPlace, because: readonly string[]): void {
    checkSwitchLink(this.draft, node, path);
    this.ports.push({
      id: node.port,
      driver: switchDrivers(this.draft.host.qemu).downstream,
      place,
      path,
      chassis: node.chassis,
      slot: node.slot,
      busReserve: undefined,
      hotplug: node.hotplug,
      ioReserve: undefined,
      properties: linkProperties(node),
      because,
    });
  }

  all(): readonly { readonly id: string; readonly busReserve: number }[] {
    return this.ports.map(({ id, busReserve = 0 }) => ({ id, busReserve }));
  }

  /**
   * Numbers the ports and spells them as devices, in the order they were added.
   * @param endpoints the devices, each with its bus
   */
  finish(
    buses: Buses,
    endpoints: readonly PlannedDevice[],
  ): { device: PlannedDevice; option: DeviceOption; because: readonly string[] }[] {
    const used = new Set([...this.ports.map(({ place }) => place), ...endpoints].map(({ bus }) => bus));
    const isHotplug = ({ id, driver, hotplug }: Port) =>
      hotplug ?? (driver === "pcie-root-port" || !used.has(id));
    const windows = planIoWindows(
      this.draft,
      this.ports.map((port) => ({ ...port, bus: port.place.bus, hotplug: isHotplug(port) })),
      endpoints,
    );
    this.checkCount();
    this.checkFixedNumbers();
    this.checkBusReserve();
    this.checkOvmfPorts(isHotplug);
    const chassis = new Numbering(this.ports.flatMap((port) => port.chassis ?? []));
    const slots = new Numbering(this.ports.flatMap((port) => port.slot ?? []));
    return this.ports.map((port) => {
      const bus = buses.get(port.place.bus);
      const multifunction = bus?.slots.needsMultifunction(this.draft, port.path, port.place);
      const numbers = isUpstream(port.driver)
        ? {}
        : {
            port: port.place.slot * 8 + port.place.function,
            chassis: port.chassis ?? chassis.next(),
            slot: port.slot ?? slots.next(),
          };
      return {
        device: {
          id: port.id,
          driver: port.driver,
          bus: port.place.bus,
          slot: port.place.slot,
          function: port.place.function,
          numaNode: bus?.numaNode,
        },
        option: {
          option: "device",
          driver: port.driver,
          id: port.id,
          properties: {
            bus: port.place.bus,
            addr: formatAddr(port.place),
            multifunction: multifunction ? true : undefined,
            ...numbers,
            ...(isUpstream(port.driver) ? {} : { hotplug: isHotplug(port) ? undefined : false }),
            "bus-reserve": port.busReserve,
            "io-reserve":
              port.driver === "pcie-root-port"
                ? (port.ioReserve ?? (windows.has(port.id) ? undefined : 0))
                : undefined,
            ...port.properties,
          },
        },
        because: [...port.because, "pcie.io"],
      };
    });
  }

  private checkCount(): void {
    const count = this.ports.filter((port) => !isUpstream(port.driver)).length;
    if (count <= numberedPorts) return;
    this.draft.refuse("PCIE_CHASSIS", ["pcie"], {
      found: `${count} ports`,
      needed: `${numberedPorts} ports at most, each with a chassis number of its own`,
      fix: "use fewer ports",
    });
  }

  /**
   * Older OVMF gives each hot-plug port 4 KiB of its 40 KiB of I/O space, and the ports beyond the tenth get no
   * window of any kind. Root ports are told to want none; a downstream port cannot be.
   * @see https://github.com/tianocore/edk2/commit/27727338b2
   */
  private checkOvmfPorts(isHotplug: (port: Port) => boolean): void {
    if (this.draft.profile.machine.firmware === "seabios") return;
    const hungry = this.ports.filter((port) => isDownstream(port.driver) && isHotplug(port));
    if (hungry.length <= ovmfHotplugPorts) return;
    this.draft.warn("PCIE_PLACEMENT", ["pcie", "tree"], {
      found: `${hungry.length} downstream ports with hot-plug under OVMF`,
      needed: `${ovmfHotplugPorts} at most for OVMF older than edk2-stable202308: the others get no address space`,
      fix: 'write "hotplug": false on the ports whose devices stay',
    });
  }

  /**
   * SeaBIOS takes what a port reserves for all that is below it, and what has a higher bus number is out of reach.
   * @see https://github.com/coreboot/seabios/blob/master/src/fw/pciinit.c (pci_bios_init_bus_rec)
   */
  private checkBusReserve(): void {
    // Two ports of one name, which is refused elsewhere, would be below themselves.
    const below = (bus: string, above: readonly string[] = []): number =>
      this.ports
        .filter(({ id, place }) => place.bus === bus && !above.includes(id))
        .reduce(
          (sum, { id, busReserve = 0 }) => sum + 1 + Math.max(busReserve, below(id, [...above, bus])),
          0,
        );
    for (const port of this.ports) {
      if (port.busReserve === undefined) continue;
      const needed = below(port.id);
      if (port.busReserve >= needed) continue;
      this.draft.refuse("PCIE_BUS_NUMBERS", [...port.path, "busReserve"], {
        found: `${port.busReserve} bus numbers for what is below ${port.id}`,
        needed: `${needed} at least: one for each port below`,
        fix: `write ${needed} or more, or leave busReserve out`,
      });
    }
  }

  private checkSpeed({ speed }: TreeRootPort, path: JsonPath): void {
    const { qemu } = this.draft.host;
    if ((speed !== "32" && speed !== "64") || !qemu || qemu.version.major >= 9) return;
    this.draft.refuse("QEMU_FEATURE", [...path, "speed"], {
      found: `${speed} GT/s with QEMU ${qemu.version.major}.${qemu.version.minor}`,
      needed: "QEMU 9.0 or newer for more than 16 GT/s",
      fix: 'write "16", or leave speed out',
    });
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
