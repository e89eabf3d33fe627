import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parseProfile } from "../../src/profile/index.ts";
import { profileJsonSchema } from "../../src/profile/schemas.ts";
import { profileText } from "./profiles.ts";

const folder = new URL("../../profiles/", import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith(".json") && !name.endsWith(".schema.json"));
const schema = profileJsonSchema();
const validate = new Ajv2020({ strict: true, allowUnionTypes: true, formats: { uuid: true } }).compile(
  schema,
);

it("the file in profiles/ is the one of this program (npm run schema writes it)", () => {
  const file = readFileSync(new URL("profile.schema.json", folder), "utf8");
  expect(file).toBe(`${JSON.stringify(schema, null, 2)}\n`);
});

describe("accepts", () => {
  it.each(names)("profiles/%s", (name) => {
    const valid = validate(JSON.parse(readFileSync(new URL(name, folder), "utf8")));
    expect(validate.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it("the input form of sizes and sets", () => {
    for (const size of [1024, "512M", "32GiB", "1.5 T"]) {
      expect(validate(JSON.parse(profileText({ memory: { size } })))).toBe(true);
    }
    expect(validate(JSON.parse(profileText({ pinning: { vcpus: { "0-3": "0-14,^2, 60" } } })))).toBe(true);
  });
});

describe("refuses, as the program does,", () => {
  it.each([
    [{ memroy: {} }],
    [{ name: "a/b" }],
    [{ cpus: { boot: 0 } }],
    [{ cpus: {} }],
    [{ memory: { size: "lots" } }],
    [{ memory: { size: -1 } }],
    [{ machine: { accel: "xen" } }],
    [{ pinning: { emulator: "a" } }],
    [{ pinning: { vcpus: { x: "1" } } }],
    [{ pcie: { tree: [{}] } }],
    [{ disks: [{ id: "a", file: "a" }] }],
    [{ version: 2 }],
  ])("%j", async (changes) => {
    const text = profileText(changes);
    expect(validate(JSON.parse(text))).toBe(false);
    expect((await parseProfile(text, "p.json")).diagnostics).not.toEqual([]);
  });
});

describe("descriptions", () => {
  const undescribed: string[] = [];
  const withoutDefault: string[] = [];
  visitProperties(schema, "", (path, property, isRequired) => {
    const description = property.description;
    if (typeof description !== "string" || !description.endsWith(".")) undescribed.push(path);
    else if (!isRequired && !/\bDefault\b|\bGive this\b|not read|takes the distribution/.test(description))
      withoutDefault.push(path);
  });

  it("every key has one, a sentence", () => expect(undescribed).toEqual([]));
  it("every key that may be left out says what happens then", () => expect(withoutDefault).toEqual([]));
});

type Json = Readonly<Record<string, unknown>>;

function visitProperties(
  node: Json,
  path: string,
  visit: (path: string, property: Json, isRequired: boolean) => void,
) {
  const required = (node.required ?? []) as string[];
  for (const [key, property] of Object.entries((node.properties ?? {}) as Record<string, Json>)) {
    visit(`${path}.${key}`, property, required.includes(key));
    visitProperties(property, `${path}.${key}`, visit);
  }
  for (const child of ["items", "additionalProperties"]) {
    if (typeof node[child] === "object") visitProperties(node[child] as Json, `${path}[]`, visit);
  }
  for (const branch of (node.anyOf ?? []) as Json[]) visitProperties(branch, path, visit);
}
