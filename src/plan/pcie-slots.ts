import type { JsonPath } from "../errors/index.ts";
import type { Draft } from "./draft.ts";

export interface SlotFunction {
  readonly slot: number;
  readonly function: number;
}

const functionsOfSlot = 8;

/** Slots of one PCI bus: 32 of 8 functions. On a port's own bus only slot 0 exists. */
export class Slots {
  private readonly bus: string;
  private readonly slotCount: 1 | 32;
  /** By slot and function, who sits there. */
  private readonly taken = new Map<number, string>();
  /** The slot that packed owners share, and its next function. */
  private open: SlotFunction | undefined;

  constructor(bus: string, slotCount: 1 | 32) {
    this.bus = bus;
    this.slotCount = slotCount;
  }

  /** Marks a slot of the board itself, which nothing else may use. */
  occupy(slot: number, owner: string): void {
    for (let fn = 0; fn < functionsOfSlot; fn++) this.taken.set(indexOf({ slot, function: fn }), owner);
  }

  /** Puts the owner where the profile wants it; refuses when somebody sits there. */
  claim(draft: Draft, path: JsonPath, addr: string, owner: string): SlotFunction {
    const place = parseAddr(addr);
    const sitting = this.taken.get(indexOf(place));
    if (sitting !== undefined) {
      draft.refuse("PCIE_PLACEMENT", path, {
        found: `${owner} at ${addr} on ${this.bus}, where ${sitting} is`,
        needed: "a free slot and function",
        fix: "write another addr, or leave it out",
      });
    }
    this.taken.set(indexOf(place), owner);
    return place;
  }

  /** Function 0 of the lowest free slot, all of which is the owner's. */
  take(owner: string): SlotFunction | undefined {
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (!this.isFree(slot)) continue;
      const place = { slot, function: 0 };
      this.taken.set(indexOf(place), owner);
      return place;
    }
    return undefined;
  }

  /** The next function of the slot that packed owners share, else function 0 of a free one. */
  pack(owner: string): SlotFunction | undefined {
    const { open } = this;
    const place =
      open && open.function < functionsOfSlot && !this.taken.has(indexOf(open)) ? open : this.take(owner);
    if (!place) return undefined;
    this.taken.set(indexOf(place), owner);
    this.open = { slot: place.slot, function: place.function + 1 };
    return place;
  }

  /** A function beside function 0 of the same slot. @returns whether it was free */
  join(place: SlotFunction, owner: string): boolean {
    if (this.taken.has(indexOf(place))) return false;
    this.taken.set(indexOf(place), owner);
    return true;
  }

  ownerOf(slot: number): string | undefined {
    return this.taken.get(indexOf({ slot, function: 0 }));
  }

  /**
   * Whether the device at this place must say that its slot has other functions. Refuses a function beside an empty
   * function 0: the guest looks there first, and sees none of the others.
   */
  needsMultifunction(draft: Draft, path: JsonPath, place: SlotFunction): boolean {
    const owner = this.taken.get(indexOf(place));
    if (owner !== undefined && this.ownerOf(place.slot) === undefined) {
      draft.refuse("PCIE_PLACEMENT", [...path, "addr"], {
        found: `${owner} at ${formatAddr(place)} on ${this.bus} with nothing at function 0`,
        needed: "function 0 in the same slot: without it the guest sees none of the others",
        fix: "put a port at function 0, or leave addr out",
      });
    }
    return place.function === 0 && !this.isFree(place.slot, 1);
  }

  private isFree(slot: number, firstFunction = 0): boolean {
    for (let fn = firstFunction; fn < functionsOfSlot; fn++) {
      if (this.taken.has(indexOf({ slot, function: fn }))) return false;
    }
    return true;
  }
}

function indexOf(place: SlotFunction): number {
  return place.slot * functionsOfSlot + place.function;
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
