import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";
import { type SlotFunction, Slots } from "./pcie-slots.ts";

/** Something that PCI devices sit on. */
export interface Bus {
  readonly id: string;
  /** root: pcie.0. upstream: a port or switch that takes no device, because a switch is there. */
  readonly kind: "root" | "expander" | "port" | "upstream" | "conventional";
  readonly slots: Slots;
  /** The cell that the guest sees for what sits here. */
  readonly numaNode: number | undefined;
  /** pcie.0 or the expander bus above. */
  readonly root: string;
}

export interface PlaceRequest {
  readonly owner: string;
  readonly path: JsonPath;
  /** Where the profile wants it. */
  readonly addr: string | undefined;
  /** A whole slot, or the next function of a slot that it shares with others of its kind. */
  readonly how: "slot" | "pack";
}

/** The buses of the guest by id, and who sits where on them. */
export class Buses {
  private readonly draft: Draft;
  private readonly byId = new Map<string, Bus>();

  constructor(draft: Draft) {
    this.draft = draft;
    const slots = new Slots("pcie.0", 32);
    // The q35 board has its memory controller in slot 0 and the ICH9 (LPC, SATA, SMBus) in slot 1f.
    slots.occupy(0x00, "the memory controller");
    slots.occupy(0x1f, "the ICH9");
    this.byId.set("pcie.0", { id: "pcie.0", kind: "root", slots, numaNode: undefined, root: "pcie.0" });
  }

  get(id: string): Bus | undefined {
    return this.byId.get(id);
  }

  /** Buses that a device of the profile may name, pcie.0 first. */
  nameable(): string[] {
    return [...this.byId.values()].filter((bus) => bus.kind !== "upstream").map((bus) => bus.id);
  }

  /** The bus behind a bridge to conventional PCI. Its slot 0 is that of the hot-plug controller. */
  addConventional(parent: Bus, id: string): Bus {
    const { numaNode, root } = parent;
    const slots = new Slots(id, 32);
    slots.occupy(0, "its hot-plug controller");
    return this.add({ id, kind: "conventional", slots, numaNode, root });
  }

  addExpander(id: string, numaNode: number | undefined): Bus {
    return this.add({ id, kind: "expander", slots: new Slots(id, 32), numaNode, root: id });
  }

  /** The bus below a port or switch, which belongs where its parent does. */
  addBelow(parent: Bus, id: string, kind: "port" | "upstream", slotCount: 1 | 32): Bus {
    const { numaNode, root } = parent;
    return this.add({ id, kind, slots: new Slots(id, slotCount), numaNode, root });
  }

  /** Places on one bus: those that the profile fixes are claimed before the others are computed. */
  placeAll(bus: Bus, requests: readonly PlaceRequest[]): SlotFunction[] {
    const fixed = requests.map(({ owner, path, addr }) =>
      addr === undefined ? undefined : bus.slots.claim(this.draft, [...path, "addr"], addr, owner),
    );
    return requests.map((request, index) => fixed[index] ?? this.place(bus, request));
  }

  /** The next free place on a bus; refuses when there is none. */
  place(bus: Bus, { owner, path, how }: Omit<PlaceRequest, "addr">): SlotFunction {
    const place = how === "pack" ? bus.slots.pack(owner) : bus.slots.take(owner);
    if (place) return place;
    this.draft.refuse("PCIE_BUS_FULL", path, {
      found: `${owner} on ${bus.id}, whose 32 slots are taken`,
      needed: "32 slots a bus at most",
      fix: "move devices to another expander bus or switch",
    });
    return { slot: 0, function: 0 };
  }

  private add(bus: Bus): Bus {
    this.byId.set(bus.id, bus);
    return bus;
  }
}
