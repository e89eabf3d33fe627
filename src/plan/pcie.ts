import type { JsonPath } from "../errors/index.ts";
import type { TreeExpander, TreeRootPort } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import type { DeviceOption, Properties, QemuOption } from "./options.ts";
import { assignBusNumbers } from "./pcie-buses.ts";
import { Ports } from "./pcie-ports.ts";
import { formatAddr, type SlotFunction, Slots } from "./pcie-slots.ts";
import { sources } from "./sources.ts";
import type { PlannedDevice } from "./types.ts";

/** A device that wants a place on the tree. */
export interface DeviceRequest {
  readonly id: string;
  readonly driver: string;
  readonly properties: Properties;
  readonly because: readonly string[];
  /** Where in the profile it is. */
  readonly path: JsonPath;
  /** Port, expander bus or pcie.0; undefined gets a root port of its own on pcie.0. */
  readonly bus: string | undefined;
  /** Sits on pcie.0 itself: conventional devices, and those of the board. */
  readonly integrated?: boolean;
}

interface Bus {
  readonly id: string;
  readonly kind: "root" | "expander" | "port" | "upstream";
  readonly slots: Slots;
  readonly numaNode: number | undefined;
  /** pcie.0 or the expander bus above. */
  readonly root: string;
}

interface PlaceRequest {
  readonly owner: string;
  readonly path: JsonPath;
  readonly addr: string | undefined;
  readonly how: "slot" | "pack";
}

interface Placed {
  readonly device: PlannedDevice;
  readonly option: DeviceOption;
  readonly because: readonly string[];
}

/**
 * The guest's PCIe tree. Expander buses and ports of the profile come first, in its order; each other device gets a
 * root port of its own, eight ports to a slot.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/pcie.txt
 */
export class PcieTree {
  private readonly draft: Draft;
  private readonly buses = new Map<string, Bus>();
  private readonly ids = new Map<string, JsonPath>();
  private readonly expanders: { node: TreeExpander; path: JsonPath; place: SlotFunction }[] = [];
  private readonly ports: Ports;
  private readonly endpoints: Placed[] = [];
  private readonly cellCount: number;

  constructor(draft: Draft, cellCount: number) {
    this.draft = draft;
    this.cellCount = draft.profile.numa ? cellCount : 0;
    this.ports = new Ports(draft);
    const board = new Slots("pcie.0", 32);
    // The q35 board has its memory controller in slot 0 and the ICH9 (LPC, SATA, SMBus) in slot 1f.
    board.occupy(0x00, "the memory controller");
    board.occupy(0x1f, "the ICH9");
    this.buses.set("pcie.0", {
      id: "pcie.0",
      kind: "root",
      slots: board,
      numaNode: undefined,
      root: "pcie.0",
    });
    draft.decide("pcie", "pcie.ports", {
      value: "a root port for each device",
      rule: "Every PCIe device sits on a port of its own, which can be hot-plugged; ports on pcie.0 share slots, eight functions each. I/O space is reserved only where the profile asks: 64 KiB have room for 15 ports.",
      source: sources.pcie,
    });
    this.plantTree();
  }

  /** Places a device; the options come out of `finish`. */
  place(request: DeviceRequest): void {
    this.register(request.id, request.path);
    const bus = this.busFor(request);
    if (!bus) return;
    const place = bus.kind === "root" ? bus.slots.take(request.id, 1) : bus.slots.take(request.id);
    if (!place) {
      this.draft.refuse("PCIE_BUS_FULL", [...request.path, ...(request.bus === undefined ? [] : ["bus"])], {
        found: `${request.id} on ${bus.id}, which has no free slot`,
        needed:
          bus.kind === "port" ? "a port without a device: a port takes one" : "a free slot of the bus's 32",
        fix:
          bus.kind === "port"
            ? "give the device a port of its own"
            : "move devices to root ports or an expander bus",
      });
      return;
    }
    this.endpoints.push({
      device: {
        id: request.id,
        driver: request.driver,
        bus: bus.id,
        slot: place.slot,
        function: place.function,
        numaNode: bus.numaNode,
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

  /** Claims an id that is not a PCI device's, so that no two things share it. */
  register(id: string, path: JsonPath): void {
    const other = this.ids.get(id);
    if (other) {
      this.draft.refuse("ID_DUPLICATE", path, {
        found: `the id "${id}" a second time`,
        needed: "an id of its own for each device",
        fix: "rename one of them",
      });
    }
    this.ids.set(id, path);
  }

  /** Spare ports, bus numbers, and every option: expander buses, ports, then devices. */
  finish(): { devices: PlannedDevice[]; options: QemuOption[] } {
    this.addSparePorts();
    const numbers = this.numberBuses();
    const expanders = this.expanders.map((expander) => this.expanderDevice(expander, numbers));
    const ports = this.ports.finish(
      (bus) => this.buses.get(bus)?.slots,
      (bus) => this.buses.get(bus)?.numaNode,
    );
    const all: readonly Placed[] = [...expanders, ...ports, ...this.endpoints];
    return {
      devices: all.map((placed) => placed.device),
      options: all.map((placed) => ({ ...placed.option, because: placed.because })),
    };
  }

  private plantTree(): void {
    const { tree } = this.draft.profile.pcie;
    const places = this.placeAll(
      "pcie.0",
      tree.map((node, index) => ({
        owner: "expander" in node ? node.expander : node.rootPort,
        path: ["pcie", "tree", index],
        addr: node.addr,
        how: "expander" in node ? "slot" : "pack",
      })),
    );
    for (const [index, node] of tree.entries()) {
      const path = ["pcie", "tree", index];
      const place = places[index] ?? { slot: 0, function: 0 };
      if ("expander" in node) this.plantExpander(node, path, place);
      else this.plantRootPort(node, path, "pcie.0", place);
    }
  }

  private plantExpander(node: TreeExpander, path: JsonPath, place: SlotFunction): void {
    this.register(node.expander, [...path, "expander"]);
    if (node.numaNode !== undefined && node.numaNode >= this.cellCount) {
      this.draft.refuse("PCIE_PLACEMENT", [...path, "numaNode"], {
        found: `${node.expander} on cell ${node.numaNode}, and the guest has ${this.cellCount === 0 ? "no NUMA cells" : `cells 0-${this.cellCount - 1}`}`,
        needed: "a cell of the guest",
        fix: this.cellCount === 0 ? "add numa.cells, or leave numaNode out" : "name one of the cells",
      });
    }
    this.buses.set(node.expander, {
      id: node.expander,
      kind: "expander",
      slots: new Slots(node.expander, 32),
      numaNode: node.numaNode,
      root: node.expander,
    });
    this.draft.decide("pcie", `pcie.${node.expander}`, {
      value: `expander bus${node.numaNode === undefined ? "" : ` on cell ${node.numaNode}`}`,
      rule: "A bus of its own that belongs to a cell: the guest sees that node for every device below it.",
      source: sources.expander,
    });
    this.expanders.push({ node, path, place });
    const requests = node.ports.map((port, index) => ({
      owner: port.rootPort,
      path: [...path, "ports", index],
      addr: port.addr,
      how: "slot" as const,
    }));
    const places = this.placeAll(node.expander, requests);
    for (const [index, port] of node.ports.entries()) {
      this.plantRootPort(
        port,
        [...path, "ports", index],
        node.expander,
        places[index] ?? { slot: 0, function: 0 },
      );
    }
  }

  private plantRootPort(port: TreeRootPort, path: JsonPath, bus: string, place: SlotFunction): void {
    this.register(port.rootPort, [...path, "rootPort"]);
    const parent = this.buses.get(bus);
    this.ports.addRootPort(port, path, { bus, ...place }, this.because(bus));
    this.addPortBus(port.rootPort, parent, port.switch ? "upstream" : "port");
    if (!port.switch) return;
    const { upstream, downstream } = port.switch;
    this.register(upstream, [...path, "switch", "upstream"]);
    this.buses.get(port.rootPort)?.slots.take(upstream);
    this.ports.addUpstream(upstream, port.rootPort, this.because(bus));
    const slots = new Slots(upstream, 32);
    this.buses.set(upstream, {
      id: upstream,
      kind: "upstream",
      slots,
      numaNode: parent?.numaNode,
      root: parent?.root ?? "pcie.0",
    });
    const portPath = (index: number) => [...path, "switch", "downstream", index];
    const requests = downstream.map((node, index) => ({
      owner: node.port,
      path: portPath(index),
      addr: node.addr,
      how: "slot" as const,
    }));
    const places = this.placeAll(upstream, requests);
    for (const [index, node] of downstream.entries()) {
      this.register(node.port, [...portPath(index), "port"]);
      const portPlace = places[index] ?? { slot: 0, function: 0 };
      this.ports.addDownstream(node, portPath(index), { bus: upstream, ...portPlace }, this.because(bus));
      this.addPortBus(node.port, parent, "port");
    }
  }

  private addPortBus(id: string, parent: Bus | undefined, kind: "port" | "upstream"): void {
    this.buses.set(id, {
      id,
      kind,
      slots: new Slots(id, 1),
      numaNode: parent?.numaNode,
      root: parent?.root ?? "pcie.0",
    });
  }

  /** Places on one bus: those that the profile fixes are claimed before the others are computed. */
  private placeAll(busId: string, requests: readonly PlaceRequest[]): SlotFunction[] {
    const slots = this.buses.get(busId)?.slots;
    const fixed = requests.map(({ owner, path, addr }) =>
      addr === undefined ? undefined : slots?.claim(this.draft, [...path, "addr"], addr, owner),
    );
    return requests.map((request, index) => fixed[index] ?? this.computePlace(busId, request));
  }

  /** A whole slot, or the next function of a shared one. */
  private computePlace(busId: string, { owner, path, how }: Omit<PlaceRequest, "addr">): SlotFunction {
    const slots = this.buses.get(busId)?.slots;
    const place = how === "pack" ? slots?.pack(owner, "ports") : slots?.take(owner);
    if (place) return place;
    this.draft.refuse("PCIE_BUS_FULL", path, {
      found: `${owner} is one device too many for ${busId}`,
      needed: "32 slots a bus at most",
      fix: "move devices to another expander bus or switch",
    });
    return { slot: 0, function: 0 };
  }

  private busFor(request: DeviceRequest): Bus | undefined {
    if (request.integrated) return this.buses.get("pcie.0");
    if (request.bus === undefined) return this.ownPort(request, "pcie.0");
    const bus = this.buses.get(request.bus);
    if (!bus) {
      this.draft.refuse("ID_UNKNOWN", [...request.path, "bus"], {
        found: `bus "${request.bus}", which is not in pcie.tree`,
        needed: `pcie.0${[...this.buses.values()]
          .filter((known) => known.kind === "port" || known.kind === "expander")
          .map((known) => `, ${known.id}`)
          .join("")}`,
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
    return bus.kind === "expander" ? this.ownPort(request, bus.id) : bus;
  }

  private ownPort(request: DeviceRequest, busId: string): Bus | undefined {
    const id = `rp-${request.id}`;
    this.register(id, request.path);
    const place = this.computePlace(busId, { owner: id, path: request.path, how: "pack" });
    this.ports.addAutomatic(id, { bus: busId, ...place }, this.because(busId));
    this.addPortBus(id, this.buses.get(busId), "port");
    return this.buses.get(id);
  }

  private addSparePorts(): void {
    const { spareRootPorts } = this.draft.profile.pcie;
    if (spareRootPorts === 0) return;
    const because = this.draft.decide("pcie", "pcie.spare", {
      value: `${spareRootPorts} empty root port${spareRootPorts === 1 ? "" : "s"}`,
      rule: "Root buses take no devices while the guest runs; empty ports do.",
      source: sources.pcie,
    });
    for (let index = 0; index < spareRootPorts; index++) {
      const id = `spare${index}`;
      this.register(id, ["pcie", "spareRootPorts"]);
      const place = this.computePlace("pcie.0", { owner: id, path: ["pcie", "spareRootPorts"], how: "pack" });
      this.ports.addAutomatic(id, { bus: "pcie.0", ...place }, [because]);
      this.addPortBus(id, this.buses.get("pcie.0"), "port");
    }
  }

  private numberBuses(): Map<string, number> {
    const budgets = new Map<string, number>([["pcie.0", 1]]);
    for (const port of this.ports.all()) {
      const root = this.buses.get(port.id)?.root ?? "pcie.0";
      budgets.set(root, (budgets.get(root) ?? 1) + 1 + port.busReserve);
    }
    const rootBudget = budgets.get("pcie.0") ?? 1;
    const numbers = assignBusNumbers(
      this.draft,
      rootBudget,
      this.expanders.map(({ node, path }) => ({
        id: node.expander,
        path,
        busNr: node.busNr,
        budget: budgets.get(node.expander) ?? 1,
      })),
    );
    if (rootBudget > 256) {
      this.draft.refuse("PCIE_BUS_NUMBERS", ["pcie"], {
        found: `${rootBudget} bus numbers on pcie.0`,
        needed: "256 at most",
        fix: "use fewer ports",
      });
    }
    if (this.expanders.length > 0) {
      this.draft.decide("pcie", "pcie.busNumbers", {
        value: [...numbers]
          .map(([id, start]) => `${id} ${start}-${start + (budgets.get(id) ?? 1) - 1}`)
          .join(", "),
        rule: "A root takes one bus number for itself, one for each port below, and what ports reserve; ranges are disjoint and end at 255.",
        facts: [`pcie.0 takes 0-${rootBudget - 1}`],
        source: sources.expander,
      });
    }
    return numbers;
  }

  private expanderDevice(
    expander: { node: TreeExpander; place: SlotFunction },
    numbers: ReadonlyMap<string, number>,
  ): Placed {
    const { node, place } = expander;
    const busNr = numbers.get(node.expander) ?? 0;
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
        // Without the bus, a second expander would land on the first, where only bridges may be.
        properties: { bus: "pcie.0", addr: formatAddr(place), bus_nr: busNr, numa_node: node.numaNode },
      },
      because: [`pcie.${node.expander}`, "pcie.busNumbers"],
    };
  }

  private because(bus: string): string[] {
    return bus === "pcie.0" ? ["pcie.ports"] : ["pcie.ports", `pcie.${bus}`];
  }
}
