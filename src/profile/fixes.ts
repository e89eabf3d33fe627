import type { z } from "zod";
import { alternatives, describeSchema, limitsOf } from "./describe.ts";
import { expectationOf, jsonTypeOf, typesOf, unwrap, valuesOf } from "./shape.ts";
import { closest } from "./suggest.ts";

/** What to do about a value that a schema refuses, as an imperative. */
export function fixFor(schema: z.core.$ZodType, value: unknown): string {
  const wanted = typesOf(schema);
  if (value === null) return "leave the key out, or give it a value";
  return (
    requoted(wanted, value) ??
    nearestOf(schema, value) ??
    wrapped(wanted, value) ??
    expectationOf(schema)?.fix ??
    ranged(schema, value) ??
    `write ${describeSchema(schema)}`
  );
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

/** Every value that an enumeration, or a union with some, takes. */
function choices(schema: z.core.$ZodType): (string | number | boolean)[] {
  const def = unwrap(schema)._zod.def;
  return def.type === "union" ? def.options.flatMap(choices) : valuesOf(schema);
}

function nearestOf(schema: z.core.$ZodType, value: unknown): string | undefined {
  const words = choices(schema);
  if (words.length === 0) return undefined;
  const near = typeof value === "string" ? closest(value, words.map(String)) : undefined;
  if (near !== undefined) return `write ${JSON.stringify(words.find((word) => String(word) === near))}`;
  if (unwrap(schema)._zod.def.type === "union") return undefined;
  return `write ${alternatives(words.map((word) => JSON.stringify(word)))}`;
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
