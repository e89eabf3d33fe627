import type * as z from "zod";
import { expectationOf, keysOf, requiredKeysOf, unwrap, valuesOf } from "./shape.ts";

/** What a schema takes, in words: "a whole number from 1 to 4096". */
export function describeSchema(schema: z.core.$ZodType): string {
  const inner = unwrap(schema);
  const expectation = expectationOf(inner);
  if (expectation) return expectation.needed;
  const def = inner._zod.def;
  switch (def.type) {
    case "string":
      return "text";
    case "number":
      return `a whole number${describeRange(limitsOf(inner))}`;
    case "boolean":
      return "true or false";
    case "enum":
    case "literal":
      return alternatives(choiceWords(inner) ?? []);
    case "array": {
      const { least, most } = limitsOf(inner);
      const range =
        most === undefined ? (least ? ` of at least ${least}` : "") : ` of ${least ?? 0} to ${most}`;
      return `a list${range}`;
    }
    case "object":
      return describeObject(inner);
    case "record":
      return `an object whose keys are ${describeSchema(def.keyType)}`;
    case "union":
      return alternatives(def.options.flatMap((option) => choiceWords(option) ?? [describeSchema(option)]));
    default:
      return "another value";
  }
}

function choiceWords(schema: z.core.$ZodType): string[] | undefined {
  const values = valuesOf(schema);
  return values.length === 0 ? undefined : values.map((value) => JSON.stringify(value));
}

/** `"a", "b" or "c"`. */
export function alternatives(words: readonly string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}

export interface Limits {
  readonly least?: number;
  readonly most?: number;
}

/** The smallest and largest number, or count of entries, that a schema takes. */
export function limitsOf(schema: z.core.$ZodType): Limits {
  const limits: { least?: number; most?: number } = {};
  for (const check of unwrap(schema)._zod.def.checks ?? []) {
    const def = (check as z.core.$ZodChecks)._zod.def;
    if (def.check === "greater_than") limits.least = Number(def.value);
    else if (def.check === "less_than") limits.most = Number(def.value);
    else if (def.check === "min_length") limits.least = def.minimum;
    else if (def.check === "max_length") limits.most = def.maximum;
  }
  return limits;
}

function describeRange({ least, most }: Limits): string {
  if (least === undefined) return most === undefined ? "" : ` up to ${most}`;
  return most === undefined ? ` of at least ${least}` : ` from ${least} to ${most}`;
}

const listedKeys = 8;

function describeObject(schema: z.core.$ZodType): string {
  const required = requiredKeysOf(schema).map((key) => JSON.stringify(key));
  if (required.length > 0) return `an object with ${required.join(" and ")}`;
  const keys = keysOf(schema).map((key) => JSON.stringify(key));
  return keys.length > listedKeys ? "an object" : `an object, in which there may be ${alternatives(keys)}`;
}

const longestValue = 60;

/** A value as JSON on one line, shortened; a list only by its length, an object by its keys. */
export function describeValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) {
    const keys = Object.keys(value).map((key) => JSON.stringify(key));
    if (keys.length === 0) return "an empty object";
    return keys.length > listedKeys ? "an object" : `an object with ${keys.join(", ")}`;
  }
  const text = JSON.stringify(value) ?? "absent";
  return text.length <= longestValue ? text : `${text.slice(0, longestValue - 3)}..."`;
}
