import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";

export interface SlotFunction {
  readonly slot: number;
  readonly function: number;
}

/** Slots of one PCI bus: 32 of 8 functions. On a port's own bus only slot 0 exists. */
export class Slots {
  readonly bus: string;
  /** By slot and function, who sits there. */
  private readonly taken = new Map<number, string>();
  private readonly slotCount: number;

  constructor(bus: string, slotCount: number) {
    this.bus = bus;
    this.slotCount = slotCount;
  }

  /** Marks slots of the board itself, which nothing else may use. */
  occupy(slot: number, owner: string): void {
    for (let fn = 0; fn < 8; fn++) this.taken.set(slot * 8 + fn, owner);
  }

  /** Puts the owner where the profile wants it; refuses when somebody sits there or the bus has no such slot. */
  claim(draft: Draft, path: JsonPath, addr: string, owner: string): SlotFunction {
    const place = parseAddr(addr);
    const sitting = this.taken.get(place.slot * 8 + place.function);
    if (sitting !== undefined || place.slot >= this.slotCount) {
      draft.refuse("PCIE_PLACEMENT", path, {
        found:
          sitting === undefined
            ? `slot ${place.slot.toString(16)} on ${this.bus}`
            : `${owner} at ${addr} on ${this.bus}, where ${sitting} is`,
        needed: this.slotCount === 1 ? "slot 0: a port has no other" : "a free slot and function",
        fix: "write another addr, or leave it out",
      });
    }
    this.taken.set(place.slot * 8 + place.function, owner);
    return place;
  }

  /** A whole free slot for the owner, the lowest from `first` on. */
  take(owner: string, first = 0): SlotFunction | undefined {
    for (let slot = first; slot < this.slotCount; slot++) {
      if (!this.isFree(slot)) continue;
      this.taken.set(slot * 8, owner);
      return { slot, function: 0 };
    }
    return undefined;
  }

  /** The next function of a slot that `kind` began, else function 0 of a free one. */
  pack(owner: string, kind: string): SlotFunction | undefined {
    const open = this.packing.get(kind);
    if (open && open.function < 8 && !this.taken.has(open.slot * 8 + open.function)) {
      const place = { ...open };
      open.function++;
      this.taken.set(place.slot * 8 + place.function, owner);
      return place;
    }
    const place = this.take(owner);
    if (place) this.packing.set(kind, { slot: place.slot, function: 1 });
    return place;
  }

  private readonly packing = new Map<string, { slot: number; function: number }>();

  /** Whether the slot has functions beside 0: function 0 must then say so. */
  isMultifunction(slot: number): boolean {
    for (let fn = 1; fn < 8; fn++) if (this.taken.has(slot * 8 + fn)) return true;
    return false;
  }

  hasFunctionZero(slot: number): boolean {
    return this.taken.has(slot * 8);
  }

  private isFree(slot: number): boolean {
    for (let fn = 0; fn < 8; fn++) if (this.taken.has(slot * 8 + fn)) return false;
    return true;
  }
}

/** "1.0", "0x1f.3" or "2": hexadecimal slot, then the function. */
function parseAddr(addr: string): SlotFunction {
  const [slot = "0", fn = "0"] = addr.split(".");
  return { slot: Number.parseInt(slot, 16), function: Number(fn) };
}

/** As QEMU's addr property has it: 0x1, 0x1.0x2. */
export function formatAddr(place: SlotFunction): string {
  const slot = `0x${place.slot.toString(16)}`;
  return place.function === 0 ? slot : `${slot}.0x${place.function.toString(16)}`;
}
