import { readdirSync, readFileSync } from "node:fs";

/** An object type: its members by name, and by the value of `tag` the type with the members that it adds. */
export interface ObjectSchema {
  readonly members: Readonly<Record<string, string>>;
  readonly tag?: string;
  readonly cases?: Readonly<Record<string, string>>;
}

type NamedType =
  | ObjectSchema
  | { readonly enum: readonly string[] }
  | { readonly alternate: readonly string[] };

/** A file of scripts/record-qmp-schema.mjs. */
export interface RecordedSchema {
  readonly version: string;
  readonly commands: Readonly<Record<string, { readonly arguments: ObjectSchema; readonly returns: string }>>;
  readonly events: Readonly<Record<string, { readonly data: ObjectSchema }>>;
  readonly types: Readonly<Record<string, NamedType>>;
}

/** What a reference such as `"int"`, `"[12]"` or `"49?"` stands for. */
export type SchemaType =
  | { readonly kind: "builtin"; readonly name: string }
  | { readonly kind: "array"; readonly element: string }
  | { readonly kind: "enum"; readonly values: readonly string[] }
  | { readonly kind: "alternate"; readonly references: readonly string[] }
  | { readonly kind: "object"; readonly object: ObjectSchema };

const folder = new URL("schemas/", import.meta.url);

/** Every recorded schema, the oldest QEMU first. */
export const recordedSchemas: readonly RecordedSchema[] = readdirSync(folder)
  .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
  .map((file) => ({
    ...JSON.parse(readFileSync(new URL(file, folder), "utf8")),
    version: file.replace(".json", ""),
  }));

export function resolve(schema: RecordedSchema, reference: string): SchemaType {
  const name = reference.replace(/\?$/, "");
  if (name.startsWith("[")) return { kind: "array", element: name.slice(1, -1) };
  const type = schema.types[name];
  if (type === undefined) return { kind: "builtin", name };
  if ("enum" in type) return { kind: "enum", values: type.enum };
  if ("alternate" in type) return { kind: "alternate", references: type.alternate };
  return { kind: "object", object: type };
}

/** The members of an object, with those of one case of its tag. */
export function membersOf(
  schema: RecordedSchema,
  object: ObjectSchema,
  tagValue?: string,
): Readonly<Record<string, string>> {
  const reference = tagValue === undefined ? undefined : object.cases?.[tagValue];
  if (reference === undefined) return object.members;
  const added = resolve(schema, reference);
  return added.kind === "object" ? { ...object.members, ...added.object.members } : object.members;
}
