import { keyOf } from "../../import/libvirt/index.ts";
import type { Profile } from "../../profile/index.ts";

/** A part of a profile that another lacks or has otherwise. */
export interface Difference {
  /** Keys from the root; items of a list by their id, or their number where they have none. */
  readonly steps: readonly string[];
  /** Null where the other has it and the profile does not. */
  readonly value: unknown;
}

/** What of a profile the other does not say; short forms and the order of ports aside. */
export function differences(profile: Profile, other: Profile): Difference[] {
  return compare(plain(profile), plain(other), []);
}

function compare(value: unknown, other: unknown, steps: readonly string[]): Difference[] {
  if (isObject(value) && isObject(other)) {
    const keys = [...new Set([...Object.keys(value), ...Object.keys(other)])];
    return keys.flatMap((key) => compare(value[key], other[key], [...steps, key]));
  }
  if (Array.isArray(value) && Array.isArray(other) && value.length > 0 && value.every(isObject)) {
    const [own, others] = [keyed(value), keyed(other)];
    const isSame = own.size === others.size && [...own.keys()].every((key) => others.has(key));
    if (isSame) return [...own].flatMap(([key, item]) => compare(item, others.get(key), [...steps, key]));
  }
  if (JSON.stringify(value) === JSON.stringify(other)) return [];
  return [{ steps, value: value ?? null }];
}

function keyed(list: readonly unknown[]): Map<string, unknown> {
  return new Map(list.map((item, index) => [keyOf(item, index), item]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without short forms, and without what is the same as nothing. */
function plain({ $schema: _, ...profile }: Profile): unknown {
  const { guestAgent, rng, balloon, usb, machine, disks } = profile;
  const { oemStrings = [], ...system } = machine.smbios ?? {};
  const isSmbios = oemStrings.length > 0 || Object.values(system).some((text) => text !== undefined);
  return {
    ...profile,
    guestAgent: typeof guestAgent === "boolean" ? { enabled: guestAgent, online: false } : guestAgent,
    rng: rng === true ? { source: "/dev/urandom" } : rng,
    balloon: balloon === true ? { deflateOnOom: true, freePageReporting: false } : balloon,
    usb: usb === true ? { tablet: false } : usb,
    machine: { ...machine, smbios: isSmbios ? machine.smbios : undefined },
    disks: disks.map(({ readOnly, ...disk }) => (readOnly === true ? { ...disk, readOnly } : disk)),
  };
}
