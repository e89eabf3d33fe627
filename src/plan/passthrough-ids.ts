import type { Draft } from "./draft.ts";
import type { ChosenFunction, EntryAt } from "./passthrough-select.ts";

/** Words for default ids, by the start of vendor:device:class. */
const words: readonly (readonly [RegExp, string])[] = [
  [/^10de:....:0680/, "nvswitch"],
  [/:03....$|:12....$/, "gpu"],
  [/:02....$/, "nic"],
  [/:0108..$/, "nvme"],
  [/:01....$/, "storage"],
  [/:0403..$/, "audio"],
  [/:0c03..$/, "usb"],
];

/**
 * Ids of the passed-through devices, by address: the profile's, with a number where a selector has several; else made
 * from the class; for a companion from the id of the function that it comes along for. Each is claimed.
 */
export function nameFunctions(draft: Draft, chosen: readonly ChosenFunction[]): Map<string, string> {
  const ids = new Map<string, string>();
  const counts = new Map<EntryAt["entry"], number>();
  const named = chosen.filter(({ companionOf }) => companionOf === undefined);
  // Those of the profile first, so that no made-up one takes their place.
  for (const { fn, entry } of named) {
    if (entry.id === undefined) continue;
    const number = counts.get(entry) ?? 0;
    counts.set(entry, number + 1);
    ids.set(fn.address, "address" in entry ? entry.id : `${entry.id}${number}`);
  }
  const taken = new Set(ids.values());
  for (const { fn } of named) {
    if (ids.has(fn.address)) continue;
    const key = `${fn.vendor}:${fn.device}:${fn.class}`;
    const id = draft.freeDeviceId(words.find(([pattern]) => pattern.test(key))?.[1] ?? "dev", taken);
    ids.set(fn.address, id);
    taken.add(id);
  }
  for (const { fn, companionOf } of chosen) {
    const main = companionOf === undefined ? undefined : ids.get(companionOf);
    if (main !== undefined) ids.set(fn.address, nextCompanion(main, taken));
  }
  return ids;
}

function nextCompanion(main: string, taken: Set<string>): string {
  let number = 1;
  while (taken.has(`${main}.${number}`)) number++;
  taken.add(`${main}.${number}`);
  return `${main}.${number}`;
}
