import type { JsonPath } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import { nextPowerOfTwo } from "./bar-space.ts";
import type { DeviceRequest, DeviceSite } from "./device-site.ts";
import type { Draft } from "./draft.ts";
import type { DeviceOption, QemuOption } from "./options.ts";
import { type Bus, Buses } from "./pcie-bus.ts";
import { assignBusNumbers } from "./pcie-bus-numbers.ts";
import { Ports } from "./pcie-ports.ts";
import { formatAddr, type SlotFunction } from "./pcie-slots.ts";
import { type MadeTree, type PlantedExpander, pcieDecisions, TreePlanter } from "./pcie-tree.ts";
import { treeIds } from "./profile-ids.ts";
import type { PlannedDevice } from "./types.ts";

interface Placed {
  readonly device: PlannedDevice;
  readonly option: DeviceOption;
  readonly because: readonly string[];
}

/**
 * The guest's PCIe tree. Expander buses and ports of the profile come first, in its order, then those that are
 * made for the host's devices; each other device gets a root port of its own, eight ports to a slot.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/pcie.txt
 */
export class PcieTree implements DeviceSite {
  private readonly draft: Draft;
  private readonly buses: Buses;
  private readonly ports: Ports;
  private readonly planter: TreePlanter;
  /** Buses and ports of the profile's own tree. */
  private readonly written: ReadonlySet<string>;
  private readonly endpoints: Placed[] = [];
  /** Bridges to conventional PCI, each with a bus number, by their root. */
  private readonly bridges: string[] = [];

  constructor(draft: Draft, made?: MadeTree) {
    this.draft = draft;
    this.buses = new Buses(draft);
    this.ports = new Ports(draft);
    this.written = new Set(treeIds(draft.profile));
    draft.decide("pcie", "pcie.ports", {
      value: "a root port for each device",
      rule: "Every PCIe device sits on a port of its own, which can be hot-plugged; ports on pcie.0 share slots, eight functions each.",
      source: "pcie",
    });
    this.planter = new TreePlanter(draft, this.buses, this.ports);
    this.planter.plant(made);
  }

  /** Places a device; the options come out of `finish`. */
  place(request: DeviceRequest): void {
    this.draft.claimId("device", request.id, idPath(request));
    const spot = request.beside ? this.besidePlace(request, request.beside) : this.freePlace(request);
    if (!spot) return;
    const { bus, place } = spot;
    this.endpoints.push({
      device: {
        id: request.id,
        driver: request.driver,
        bus: bus.id,
        ...place,
        numaNode: bus.numaNode,
        ...(request.hostAddress === undefined ? {} : { hostAddress: request.hostAddress }),
      },
      option: {
        option: "device",
        driver: request.driver,
        id: request.id,
        properties: { bus: bus.id, addr: formatAddr(place), ...request.properties },
      },
      because: [...request.because, "pcie.ports"],
    });
  }

  /** A bridge to conventional PCI, on a port of its own: its slots 1 to 31 take devices that shall cost no port. */
  addConventionalBridge(id: string, path: JsonPath, because: readonly string[]): void {
    this.place({ id, driver: "pcie-pci-bridge", properties: {}, because, path, bus: undefined });
    const port = this.buses.get(`rp-${id}`);
    if (port) this.bridges.push(this.buses.addConventional(port, id).root);
  }

  /** Spare ports, bus numbers, and every option: expander buses, ports, then devices. */
  finish(): { devices: PlannedDevice[]; options: QemuOption[] } {
    this.addSparePorts();
    const numbers = this.numberBuses();
    const expanders = this.planter.expanders.map((expander) => this.expanderDevice(expander, numbers));
    const ports = this.ports.finish(
      this.buses,
      this.endpoints.map(({ device }) => device),
    );
    const all: readonly Placed[] = [...expanders, ...ports, ...this.endpoints];
    return {
      devices: all.map((placed) => placed.device),
      options: all.map((placed) => ({ ...placed.option, because: placed.because })),
    };
  }

  private freePlace(request: DeviceRequest): { bus: Bus; place: SlotFunction } | undefined {
    const bus = this.busFor(request);
    const place = bus?.slots.take(request.id);
    if (bus && place) return { bus, place };
    if (bus) this.refuseFull(request, bus);
    return undefined;
  }

  /** In the slot of another device; nowhere when that one found no place. */
  private besidePlace(
    request: DeviceRequest,
    { id, function: fn }: NonNullable<DeviceRequest["beside"]>,
  ): { bus: Bus; place: SlotFunction } | undefined {
    const other = this.endpoints.find(({ device }) => device.id === id)?.device;
    const bus = other && this.buses.get(other.bus);
    if (!bus) return undefined;
    const place = { slot: other.slot, function: fn };
    if (bus.slots.join(place, request.id)) return { bus, place };
    this.draft.refuse("PCIE_PLACEMENT", request.path, {
      found: `${request.id} at ${formatAddr(place)} on ${bus.id}, where another device is`,
      needed: "a free slot and function",
      fix: "give each device of the slot a function of its own",
    });
    return undefined;
  }

  private busFor(request: DeviceRequest): Bus | undefined {
    const board = this.buses.get("pcie.0");
    if (request.bus === undefined) {
      const { cell } = request;
      const parent =
        cell === undefined ? board : this.buses.get(this.planter.expanderOf(cell, idPath(request)));
      return parent && !request.integrated ? this.ownPort(request, parent) : parent;
    }
    const bus = this.buses.get(request.bus);
    if (!bus) {
      this.draft.refuse("ID_UNKNOWN", [...request.path, "bus"], {
        found: `bus "${request.bus}", which is not in pcie.tree`,
        needed: `one of ${this.buses.nameable().join(", ")}`,
        fix: "name one of these, or add the port to pcie.tree",
      });
      return undefined;
    }
    if (bus.kind === "upstream") {
      this.draft.refuse("PCIE_PLACEMENT", [...request.path, "bus"], {
        found: `${request.id} on ${bus.id}, which takes the ports of a switch`,
        needed: "a downstream port of the switch",
        fix: "name one of the switch's downstream ports",
      });
      return undefined;
    }
    // Only bridges may sit on an expander bus, so the device gets a port there.
    return bus.kind === "expander" ? this.ownPort(request, bus) : bus;
  }

  /** One that the profile has for it by name, or a new one. */
  private ownPort(request: DeviceRequest, bus: Bus): Bus {
    const kept = this.buses.get(`rp-${request.id}`);
    if (kept?.kind === "port" && request.bus === undefined && this.written.has(kept.id)) return kept;
    return this.addPort(bus, `rp-${request.id}`, idPath(request), pcieDecisions(bus));
  }

  private addPort(
    bus: Bus,
    id: string,
    path: JsonPath,
    because: readonly string[],
    pref64Reserve?: number,
  ): Bus {
    this.draft.claimId("device", id, path);
    const place = this.buses.place(bus, { owner: id, path, how: "pack" });
    this.ports.addAutomatic(id, { bus: bus.id, ...place }, because, pref64Reserve);
    return this.buses.addBelow(bus, id, "port", 1);
  }

  private addSparePorts(): void {
    const { pcie, machine } = this.draft.profile;
    const { spareRootPorts, spareReserve } = pcie;
    const board = this.buses.get("pcie.0");
    if (spareRootPorts === 0 || !board) return;
    // SeaBIOS aligns what a port keeps to 2 MiB, and twice as much has a place for a BAR that is aligned to itself.
    const factor = machine.firmware === "seabios" ? 2 : 1;
    const reserve = spareReserve === undefined ? undefined : nextPowerOfTwo(spareReserve) * factor;
    const because = this.draft.decide("pcie", "pcie.spare", {
      value: `${spareRootPorts} empty root port${spareRootPorts === 1 ? "" : "s"}${reserve === undefined ? "" : `, each keeping ${describeByteSize(reserve)}`}`,
      rule: "Root buses take no devices while the guest runs; empty ports do. A device with a large BAR needs a port that kept room for it at the start.",
      source: "pcie",
    });
    for (let index = 0; index < spareRootPorts; index++) {
      this.addPort(board, `spare${index}`, ["pcie", "spareRootPorts"], [because], reserve);
    }
  }

  private numberBuses(): Map<string, number> {
    const budgets = new Map<string, number>();
    for (const port of this.ports.all()) {
      const root = this.buses.get(port.id)?.root ?? "pcie.0";
      budgets.set(root, (budgets.get(root) ?? 1) + 1 + port.busReserve);
    }
    for (const root of this.bridges) budgets.set(root, (budgets.get(root) ?? 1) + 1);
    const budgetOf = (root: string) => budgets.get(root) ?? 1;
    const numbers = assignBusNumbers(
      this.draft,
      budgetOf("pcie.0"),
      this.planter.expanders.map(({ node, path }) => ({
        id: node.expander,
        path,
        busNr: node.busNr,
        budget: budgetOf(node.expander),
      })),
    );
    if (numbers.size > 0) {
      this.draft.decide("pcie", "pcie.busNumbers", {
        value: [...numbers].map(([id, start]) => `${id} ${start}-${start + budgetOf(id) - 1}`).join(", "),
        rule: "A root takes one bus number for itself, one for each port below, and what ports reserve; ranges are disjoint and end at 255.",
        facts: [`pcie.0 takes 0-${budgetOf("pcie.0") - 1}`],
        source: "expander",
      });
    }
    return numbers;
  }

  private expanderDevice(
    { node, path, place, because }: PlantedExpander,
    numbers: ReadonlyMap<string, number>,
  ): Placed {
    const busNr = numbers.get(node.expander) ?? 0;
    const multifunction = this.buses.get("pcie.0")?.slots.needsMultifunction(this.draft, path, place);
    return {
      device: {
        id: node.expander,
        driver: "pxb-pcie",
        bus: "pcie.0",
        ...place,
        numaNode: node.numaNode,
        busNr,
      },
      option: {
        option: "device",
        driver: "pxb-pcie",
        id: node.expander,
        properties: {
          // Without the bus, a second expander would land on the first, where only bridges may be.
          bus: "pcie.0",
          addr: formatAddr(place),
          multifunction: multifunction ? true : undefined,
          bus_nr: busNr,
          numa_node: node.numaNode,
        },
      },
      because: [`pcie.${node.expander}`, "pcie.busNumbers", ...because],
    };
  }

  private refuseFull(request: DeviceRequest, bus: Bus): void {
    const isPort = bus.kind === "port";
    this.draft.refuse("PCIE_BUS_FULL", request.bus === undefined ? request.path : [...request.path, "bus"], {
      found: isPort
        ? `${request.id} on ${bus.id}, where ${bus.slots.ownerOf(0)} is`
        : `${request.id} on ${bus.id}, whose 32 slots are taken`,
      needed: isPort ? "a port without a device: a port takes one" : "a free slot",
      fix: isPort ? "give the device a port of its own" : "move devices to root ports or an expander bus",
    });
  }
}

/** Where a device gets its id: items of a list have the key. */
function idPath({ path }: DeviceRequest): JsonPath {
  return typeof path.at(-1) === "number" ? [...path, "id"] : path;
}
