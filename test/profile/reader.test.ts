import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { profileSchema, readers } from "../../src/profile/schemas.ts";
import * as units from "../../src/units/index.ts";
import { anyProfile } from "../plan/random-profiles.ts";

const compiler = new URL("../../scripts/profile-reader.mjs", import.meta.url).href;
const { profileReader } = await import(compiler);

/** The function in the text of a module that imports nothing but units. */
function compile(schema: z.ZodType): (value: unknown) => unknown {
  const text: string = profileReader(schema, readers, "units");
  const body = text
    .replace(/^import \{ (.*) \} from "units";/, (_line, names) =>
      names ? `const { ${names} } = units;` : "",
    )
    .replace("export function", "return function");
  // What follows a return still declares functions; the constants have to come before it.
  const [declared = "", rest = ""] = body.split("const wrong =", 2);
  return new Function("units", `const wrong =${rest}\n${declared}`)(units);
}

const read = compile(profileSchema);
const bySchema = (value: unknown) => profileSchema.safeParse(value).data;

describe("the schema as code reads what the schema reads", () => {
  const folders = ["profiles", "test/golden/profiles", "test/invalid", "test/e2e/profiles"].map(
    (path) => new URL(`../../${path}/`, import.meta.url),
  );
  const texts = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".json") && !name.endsWith(".schema.json"))
      .map((name) => [name, readFileSync(new URL(name, folder), "utf8")] as const),
  );
  it.each(texts)("%s", (_name, text) => {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    // With the order of the keys, which goldens show.
    expect(JSON.stringify(read(value))).toBe(JSON.stringify(bySchema(value)));
  });

  it("random profiles", () => {
    fc.assert(
      fc.property(anyProfile, (value) => {
        const expected = bySchema(value);
        expect(expected).toBeDefined();
        expect(JSON.stringify(read(value))).toBe(JSON.stringify(expected));
      }),
      { numRuns: 2000 },
    );
  });

  it("and refuses what it refuses: any one value in the place of any other", () => {
    fc.assert(
      fc.property(anyProfile, fc.nat(), fc.jsonValue({ maxDepth: 1 }), (profile, at, replacement) => {
        const changed = replaceOne(profile, at, replacement);
        expect(JSON.stringify(read(changed))).toBe(JSON.stringify(bySchema(changed)));
      }),
      { numRuns: 5000 },
    );
  });
});

/** Puts a value in the place of one of those in a document, or beside those of an object. */
function replaceOne(document: unknown, at: number, replacement: unknown): unknown {
  const copy = structuredClone(document);
  const places: (() => void)[] = [];
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    const parent = value as Record<string, unknown>;
    for (const key of Object.keys(parent)) {
      places.push(() => {
        parent[key] = replacement;
      });
      if (!Array.isArray(value)) places.push(() => delete parent[key]);
      visit(parent[key]);
    }
    if (!Array.isArray(value)) {
      places.push(() => {
        parent.extra = replacement;
      });
    }
  };
  visit(copy);
  places[at % places.length]?.();
  return copy;
}

describe("the compiler knows each kind of schema, and refuses others", () => {
  it.each([
    ["numbers", z.number().min(1.5).lt(3), [1, 1.5, 2.9, 3, "2", Number.NaN, Number.POSITIVE_INFINITY]],
    ["integers", z.int().positive(), [0, 1, 1.5, 2 ** 53, "1"]],
    ["texts", z.string().min(1).max(2), ["", "a", "abc", 1, null]],
    ["lists", z.array(z.boolean()).length(2), [[], [true, false], [1, 2], {}]],
    ["records", z.record(z.string().regex(/^a/), z.int()), [{}, { a: 1 }, { b: 1 }, { a: "1" }, []]],
    [
      "defaults",
      z.strictObject({ a: z.int().default(3), b: z.int().prefault(4) }),
      [{}, { a: 1 }, { b: null }],
    ],
    ["literals", z.union([z.literal(1), z.enum(["x", "y"])]), [1, 2, "x", "z"]],
  ])("%s", (_name, schema, values: readonly unknown[]) => {
    const compiled = compile(schema);
    for (const value of values) expect(compiled(value)).toEqual(schema.safeParse(value).data);
  });

  it.each([
    ["objects that take other keys", z.object({ a: z.int() })],
    ["transformations without a name", z.string().transform((text) => text.length)],
    ["rules of their own", z.string().refine((text) => text !== "a")],
    ["dates", z.date()],
    ["multiples", z.int().multipleOf(2)],
  ])("%s", (_name, schema) => {
    expect(() => compile(schema)).toThrow();
  });
});
