import type * as z from "zod";
import { closest } from "../units/index.ts";
import { describeSchema, limitsOf } from "./describe.ts";
import { expectationOf, jsonTypeOf, keysOf, optionsOf, typesOf, unwrap, valuesOf } from "./shape.ts";

/** What to do about a value that a schema refuses, as an imperative. */
export function fixFor(schema: z.core.$ZodType, value: unknown): string {
  const wanted = typesOf(schema);
  if (value === null) return "give it a value, or leave it out where there is a default";
  return (
    requoted(wanted, value) ??
    nearestOf(schema, value) ??
    wrapped(wanted, value) ??
    ruleOf(schema, value) ??
    (valuesOf(schema).length > 0 ? "write one of these" : undefined) ??
    `write ${describeSchema(schema)}`
  );
}

/** What the schema's own words say; of a union, the words of the first branch that takes values of this type. */
function ruleOf(schema: z.core.$ZodType, value: unknown): string | undefined {
  const all = branches(schema);
  return all
    .filter((branch) => all.length === 1 || typesOf(branch).includes(jsonTypeOf(value)))
    .map((branch) => expectationOf(branch)?.fix ?? ranged(branch, value))
    .find((fix) => fix !== undefined);
}

/** The schema itself, or the branches of a union. */
function branches(schema: z.core.$ZodType): z.core.$ZodType[] {
  const options = optionsOf(schema);
  return options.length === 0 ? [unwrap(schema)] : options.flatMap(branches);
}

function requoted(wanted: readonly string[], value: unknown): string | undefined {
  if (typeof value === "string" && !wanted.includes("string")) {
    if (wanted.includes("number") && /^\d+$/.test(value)) return `write ${Number(value)} without quotes`;
    if (wanted.includes("boolean")) {
      const meant = { true: true, yes: true, on: true, false: false, no: false, off: false }[
        value.toLowerCase()
      ];
      return meant === undefined ? undefined : `write ${meant} without quotes`;
    }
  }
  if (typeof value === "number" && !wanted.includes("number") && wanted.includes("string")) {
    return `write "${value}", in quotes`;
  }
  return undefined;
}

/** The word of an enumeration, or the object of one key, that was probably meant. */
function nearestOf(schema: z.core.$ZodType, value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const all = branches(schema);
  const words = all.flatMap(valuesOf).filter((word) => typeof word === "string");
  const near = closest(value, [...words, ...all.flatMap(keysOf)]);
  if (near === undefined) return undefined;
  return words.includes(near) ? `write "${near}"` : `write {"${near}": {}}`;
}

function wrapped(wanted: readonly string[], value: unknown): string | undefined {
  const type = jsonTypeOf(value);
  if (wanted.length !== 1 || wanted.includes(type)) return undefined;
  if (wanted[0] === "list") return "put it in a list, between [ and ]";
  if (type === "list" && (value as unknown[]).length === 1) return "write its one entry without the [ and ]";
  return undefined;
}

function ranged(schema: z.core.$ZodType, value: unknown): string | undefined {
  const { least, most } = limitsOf(schema);
  if (Array.isArray(value)) {
    if (least !== undefined && value.length < least) return "add an entry, or leave the key out";
    return most !== undefined && value.length > most ? `remove entries until ${most} are left` : undefined;
  }
  if (typeof value !== "number" || !typesOf(schema).includes("number")) return undefined;
  if (least !== undefined && value < least) return `raise it to ${least} or more`;
  if (most !== undefined && value > most) return `lower it to ${most} or less`;
  return Number.isInteger(value) ? undefined : "write it without a fraction";
}
