import type * as z from "zod";
import { closest } from "../units/index.ts";
import { type Expectation, expectations } from "./scalars.ts";

/** What this room's schemas are made of. */
export type Schema = z.core.$ZodTypes;

/** The schema below defaults and transforms; stops at one that has words of its own. */
export function unwrap(schema: z.core.$ZodType): Schema {
  let current = schema as Schema;
  for (;;) {
    if (expectationOf(current) !== undefined) return current;
    const def = current._zod.def;
    if (def.type === "optional" || def.type === "default" || def.type === "prefault") {
      current = def.innerType as Schema;
    } else if (def.type === "pipe") current = def.in as Schema;
    else return current;
  }
}

/** The words of a schema; one made from another by meta() has those of the other. */
export function expectationOf(schema: z.core.$ZodType): Expectation | undefined {
  return expectations.get(schema);
}

/** The branches of a union that has no words of its own; none for other schemas. */
export function optionsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const inner = unwrap(schema);
  const def = inner._zod.def;
  return def.type === "union" && expectationOf(inner) === undefined ? def.options : [];
}

/** Keys of an object schema, in the order of the schema files; none for other schemas. */
export function keysOf(schema: z.core.$ZodType): string[] {
  const def = unwrap(schema)._zod.def;
  return def.type === "object" ? Object.keys(def.shape) : [];
}

/** The keys of an object schema that have no default. */
export function requiredKeysOf(schema: z.core.$ZodType): string[] {
  const optional = ["optional", "default", "prefault"];
  return keysOf(schema).filter((key) => !optional.includes(childOf(schema, key)?._zod.def.type ?? ""));
}

/** The schema of a key or an index of a container; undefined for one that the format does not have. */
export function childOf(schema: z.core.$ZodType, step: string | number): z.core.$ZodType | undefined {
  const def = unwrap(schema)._zod.def;
  if (def.type === "object") return Object.hasOwn(def.shape, step) ? def.shape[step] : undefined;
  if (def.type === "record") return def.valueType;
  if (def.type === "array") return def.element;
  return undefined;
}

export type JsonType = "null" | "boolean" | "number" | "string" | "list" | "object";

export function jsonTypeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value as JsonType;
}

/** The types of JSON that a schema takes. */
export function typesOf(schema: z.core.$ZodType): JsonType[] {
  const inner = unwrap(schema);
  const def = inner._zod.def;
  switch (def.type) {
    case "object":
    case "record":
      return ["object"];
    case "array":
      return ["list"];
    case "number":
    case "string":
    case "boolean":
      return [def.type];
    case "enum":
    case "literal":
      return [...new Set(valuesOf(inner).map(jsonTypeOf))];
    case "union":
      return def.options.flatMap(typesOf);
    case "pipe":
      return typesOf(def.in);
    default:
      return [];
  }
}

/** The values that an enumeration or a literal takes; none for other schemas. */
export function valuesOf(schema: z.core.$ZodType): (string | number | boolean)[] {
  const def = unwrap(schema)._zod.def;
  if (def.type === "enum") return Object.values(def.entries);
  if (def.type === "literal") return def.values as (string | number | boolean)[];
  return [];
}

/**
 * The branch of a union that a value was meant for: the only one of its type; among objects the one with the most of
 * its keys present, required ones counting more. Undefined when that does not decide.
 */
export function branchFor(options: readonly z.core.$ZodType[], value: unknown): number | undefined {
  const type = jsonTypeOf(value);
  const fitting = options.flatMap((option, index) => (typesOf(option).includes(type) ? [index] : []));
  if (fitting.length <= 1) return fitting[0];
  if (type !== "object") return undefined;
  const given = Object.keys(value as object);
  const scores = fitting.map((index) => keyScore(options[index] as z.core.$ZodType, given));
  const best = Math.max(...scores);
  const winners = fitting.filter((_, position) => scores[position] === best);
  return best > 0 && winners.length === 1 ? winners[0] : undefined;
}

function keyScore(schema: z.core.$ZodType, given: readonly string[]): number {
  const known = keysOf(schema);
  const required = new Set(requiredKeysOf(schema));
  return given.reduce((sum, key) => {
    const meant = known.includes(key) ? key : closest(key, known);
    return meant === undefined ? sum : sum + (required.has(meant) ? 100 : 1);
  }, 0);
}

/** Every place of the format where a key exists, as "cpus.topology" and the like; "" is the profile itself. */
export function placesOfKey(root: z.core.$ZodType, key: string): string[] {
  const places: string[] = [];
  const above = new Set<Schema>();
  const visit = (schema: z.core.$ZodType, place: string) => {
    const inner = unwrap(schema);
    const def = inner._zod.def;
    // A switch may hang below a switch: one level says it.
    if (above.has(inner)) return;
    above.add(inner);
    if (def.type === "union") for (const option of def.options) visit(option, place);
    else if (def.type === "array") visit(def.element, `${place}[]`);
    else if (def.type === "object") {
      if (Object.hasOwn(def.shape, key)) places.push(place);
      for (const [name, child] of Object.entries(def.shape))
        visit(child, place === "" ? name : `${place}.${name}`);
    }
    above.delete(inner);
  };
  visit(root, "");
  return [...new Set(places)];
}
