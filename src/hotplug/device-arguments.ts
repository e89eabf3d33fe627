import type { BlockdevOption, DeviceOption, NetdevOption, ObjectOption } from "../plan/options.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type Arguments = Readonly<Record<string, Json>>;

/**
 * What device_add takes. QEMU 9.2 and later refuse a value of another JSON type than the property's, so the types
 * come from `device-list-properties` of the QEMU that is asked.
 * @param types by property; one that is not among them keeps its own
 */
export function deviceAddArguments(
  { driver, id, properties }: Pick<DeviceOption, "driver" | "id" | "properties">,
  types: ReadonlyMap<string, string>,
): Arguments {
  // Without a prototype, so that each key is one.
  const typed: Record<string, Json> = Object.create(null);
  for (const [key, value] of Object.entries(properties)) {
    if (value !== undefined) typed[key] = withType(value as Json, types.get(key));
  }
  return { driver, ...(id === undefined ? {} : { id }), ...typed };
}

/** A number, "bool" and "link<...>" aside, every type of QEMU's (str, enumerations, OnOffAuto) is a string. */
const numeric = /^(u?int(8|16|32|64)?|size|number)$/;

function withType(value: Json, type: string | undefined): Json {
  if (type === undefined || type === "bool" || numeric.test(type)) return value;
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? String(value) : value;
}

/** What object-add takes. */
export function objectAddArguments({ qomType, id, properties }: Omit<ObjectOption, "because">): Arguments {
  return { "qom-type": qomType, id, ...nested(properties) };
}

/** What blockdev-add takes: `cache.direct` is `direct` in an object `cache`. */
export function blockdevAddArguments({
  driver,
  nodeName,
  properties,
}: Omit<BlockdevOption, "because">): Arguments {
  return { driver, "node-name": nodeName, ...nested(properties) };
}

/** Lists of texts that QMP wants as objects. */
const wrapped = new Set(["hostfwd", "guestfwd"]);

/** What netdev_add takes. */
export function netdevAddArguments({ type, id, properties }: Omit<NetdevOption, "because">): Arguments {
  const entries = Object.entries(nested(properties)).map(([key, value]) =>
    wrapped.has(key) && Array.isArray(value)
      ? [key, (value as readonly Json[]).map((text) => ({ str: text }))]
      : [key, value],
  );
  return { type, id, ...Object.fromEntries(entries) };
}

/** Dotted keys as objects; undefined ones are left out. */
function nested(properties: Readonly<Record<string, unknown>>): Record<string, Json> {
  const result: Record<string, Json> = {};
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    const steps = key.split(".");
    const last = steps.pop() ?? key;
    let target = result;
    for (const step of steps) {
      target[step] ??= {};
      target = target[step] as Record<string, Json>;
    }
    target[last] = value as Json;
  }
  return result;
}
