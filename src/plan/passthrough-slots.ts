import type { Draft } from "./draft.ts";
import type { ChosenFunction } from "./passthrough-select.ts";

/** Functions that share a slot of the guest, as they share one of the host. */
export interface PassedSlot {
  /** By their number; the first becomes function 0. */
  readonly functions: readonly ChosenFunction[];
  /** The port that the profile names; undefined leaves it to the mirrored tree or to the device's node. */
  readonly bus: string | undefined;
}

export interface PassedSlots {
  readonly slots: readonly PassedSlot[];
  /** Companions that shall cost no port. */
  readonly behindBridge: readonly ChosenFunction[];
}

/** Sorts the functions into slots of the guest, in the order of the profile. */
export function sortIntoSlots(draft: Draft, chosen: readonly ChosenFunction[]): PassedSlots {
  const hostSlots = new Map<string, ChosenFunction[]>();
  for (const one of chosen) {
    const slot = one.fn.address.slice(0, -2);
    hostSlots.set(slot, [...(hostSlots.get(slot) ?? []), one]);
  }
  const accompanied = new Set(chosen.flatMap(({ companionOf }) => companionOf ?? []));
  const all = [...hostSlots.values()].map((functions) => splitSlot(draft, functions, accompanied));
  return {
    slots: all.flatMap(({ slots }) => slots),
    behindBridge: all.flatMap(({ behindBridge }) => behindBridge),
  };
}

/** @param accompanied addresses of those for whose sake others come along */
function splitSlot(
  draft: Draft,
  hostSlot: readonly ChosenFunction[],
  accompanied: ReadonlySet<string>,
): PassedSlots {
  const functions = [...hostSlot].sort((a, b) => functionNumber(a) - functionNumber(b));
  // The first that is named keeps the port; the others of its slot are what "attach" is about.
  const main = functions.find(
    (one) => one.companionOf === undefined && !isForBridge(one, accompanied.has(one.fn.address)),
  );
  const isAttached = (one: ChosenFunction) =>
    one !== main && (one.entry.attach ?? one.annotated?.attach ?? draft.profile.passthrough.attach) === "pci";
  const onPorts = functions.filter((one) => !isAttached(one));
  const buses = [...new Set(onPorts.flatMap((one) => namedBus(one, main) ?? []))];
  const slots =
    buses.length < 2
      ? [{ functions: onPorts, bus: buses[0] }]
      : buses.map((bus, index) => ({
          functions: onPorts.filter((one) => {
            const own = namedBus(one, main);
            return own === bus || (own === undefined && index === 0);
          }),
          bus,
        }));
  return {
    slots: slots.filter((slot) => slot.functions.length > 0),
    behindBridge: functions.filter(isAttached),
  };
}

/** An entry speaks of what comes along with its device, where something does; a CDI file of the device itself. */
function isForBridge({ entry, annotated }: ChosenFunction, isAccompanied: boolean): boolean {
  if (entry.attach !== undefined) return entry.attach === "pci" && !isAccompanied;
  return annotated?.attach === "pci";
}

/** A companion from another slot cannot share the port of the function that it comes along for. */
function namedBus({ entry, companionOf }: ChosenFunction, main: ChosenFunction | undefined) {
  return companionOf === undefined || main !== undefined ? entry.bus : undefined;
}

/** The function of the guest's slot: the first is function 0, the others keep their number. */
export function guestFunction({ functions }: PassedSlot, one: ChosenFunction): number {
  return functions[0] === one ? 0 : functionNumber(one);
}

function functionNumber({ fn }: ChosenFunction): number {
  return Number(fn.address.at(-1));
}
