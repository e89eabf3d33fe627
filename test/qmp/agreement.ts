import ts from "typescript";
import {
  membersOf,
  type ObjectSchema,
  type RecordedSchema,
  resolve,
  type SchemaType,
} from "./recorded-schema.ts";
import { partsOf, propertiesOf } from "./typescript-types.ts";

/**
 * What we send must be understood by every QEMU; what any QEMU sends must fit our types. Members that our types do
 * not mention are no problem in what QEMU sends, and only when they are optional in what we send.
 */
export type Direction = "sent" | "received";

interface Here {
  readonly schema: RecordedSchema;
  readonly type: SchemaType;
}

/** Compares TypeScript types with what every recorded QEMU says. */
export class Agreement {
  /** One line for each disagreement. */
  readonly problems: string[] = [];
  readonly #checker: ts.TypeChecker;
  readonly #direction: Direction;
  readonly #seen = new Set<string>();
  readonly #exempt: ReadonlySet<string>;

  /** `exempt`: members that our types ask for though QEMU's schema does not, as `command.member`. */
  constructor(checker: ts.TypeChecker, direction: Direction, exempt: readonly string[] = []) {
    this.#checker = checker;
    this.#direction = direction;
    this.#exempt = new Set(exempt);
  }

  compare(
    place: string,
    type: ts.Type,
    references: readonly { schema: RecordedSchema; reference: string }[],
  ): void {
    const { id } = type as unknown as { id: number };
    const key = `${id} ${references.map(({ reference }) => reference.replace(/\?$/, "")).join(" ")}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const there = references.map(({ schema, reference }) => ({ schema, type: resolve(schema, reference) }));
    this.#compareType(place, type, there);
  }

  compareObject(
    place: string,
    type: ts.Type,
    objects: readonly { schema: RecordedSchema; object: ObjectSchema }[],
  ): void {
    const there = objects.map(({ schema, object }) => ({
      schema,
      type: { kind: "object", object } as const,
    }));
    this.#compareType(place, type, there);
  }

  #compareType(place: string, type: ts.Type, there: readonly Here[]): void {
    if ((type.flags & ts.TypeFlags.Unknown) !== 0) {
      const all = this.#direction === "received" || there.every((here) => nameOf(here) === "any");
      if (!all) this.#say(place, "is unknown to us; what is sent needs a type");
      return;
    }
    const kinds = new Set(there.map((here) => here.type.kind));
    if (kinds.has("alternate")) this.#compareAlternate(place, type, there);
    else if (kinds.size !== 1) this.#say(place, `is ${[...kinds].join(" or ")}, by version`);
    else if (kinds.has("array")) this.#compareArray(place, type, there);
    else if (kinds.has("enum")) this.#compareEnum(place, type, there);
    else if (kinds.has("object")) this.#compareParts(place, type, there);
    else this.#compareBuiltin(place, type, there);
  }

  #compareBuiltin(place: string, type: ts.Type, there: readonly Here[]): void {
    for (const here of there) {
      const name = nameOf(here);
      const ours = this.#checker.typeToString(this.#checker.getBaseTypeOfLiteralType(type));
      const fits =
        partsOf(type).length === 1 && ours === { int: "number", str: "string", bool: "boolean" }[name];
      if (!fits && ours !== name) this.#say(place, `is ${ours}, and ${name} in QEMU ${here.schema.version}`);
    }
  }

  #compareArray(place: string, type: ts.Type, there: readonly Here[]): void {
    const [element] = this.#checker.isArrayType(type)
      ? this.#checker.getTypeArguments(type as ts.TypeReference)
      : [];
    if (element === undefined) {
      this.#say(place, `is ${this.#checker.typeToString(type)}, and an array in QEMU`);
      return;
    }
    const references = there.map(({ schema, type: array }) => ({
      schema,
      reference: array.kind === "array" ? array.element : "",
    }));
    this.compare(`${place}[]`, element, references);
  }

  #compareEnum(place: string, type: ts.Type, there: readonly Here[]): void {
    const parts = partsOf(type);
    if (parts.some((part) => !part.isStringLiteral())) {
      const isString = parts.length === 1 && (type.flags & ts.TypeFlags.String) !== 0;
      if (!isString || this.#direction === "sent") this.#say(place, "is an enumeration in QEMU");
      return;
    }
    const ours = parts.map((part) => (part as ts.StringLiteralType).value);
    this.#compareValues(
      place,
      ours,
      there.map(({ type: values }) => (values.kind === "enum" ? values.values : [])),
    );
  }

  #compareValues(place: string, ours: readonly string[], theirs: readonly (readonly string[])[]): void {
    for (const value of ours) {
      const count = theirs.filter((values) => values.includes(value)).length;
      if (count === 0 || (this.#direction === "sent" && count < theirs.length)) {
        this.#say(place, `has the value ${value}, which not every QEMU knows`);
      }
    }
    if (this.#direction === "sent") return;
    const missing = new Set(theirs.flat().filter((value) => !ours.includes(value)));
    if (missing.size > 0) this.#say(place, `lacks the values ${[...missing].join(", ")}`);
  }

  /** Each part of ours must fit one of QEMU's choices, in every version. Only what is sent has such types. */
  #compareAlternate(place: string, type: ts.Type, there: readonly Here[]): void {
    for (const part of mergeObjects(partsOf(type))) {
      const fits = there.every(({ schema, type: alternate }) => {
        const choices = alternate.kind === "alternate" ? alternate.references : [];
        return choices.some((reference) => this.#fits(place, part, schema, reference));
      });
      if (!fits) this.#say(place, "has a choice that not every QEMU has");
    }
  }

  #fits(place: string, parts: readonly ts.Type[], schema: RecordedSchema, reference: string): boolean {
    const trial = new Agreement(this.#checker, this.#direction, [...this.#exempt]);
    // A type that contains itself is being compared already.
    for (const key of this.#seen) trial.#seen.add(key);
    for (const part of parts) {
      const key = `${(part as unknown as { id: number }).id} ${reference}`;
      if (trial.#seen.has(key)) continue;
      trial.#seen.add(key);
      trial.#compareType(place, part, [{ schema, type: resolve(schema, reference) }]);
    }
    if (trial.problems.length > 0) return false;
    for (const key of trial.#seen) this.#seen.add(key);
    return true;
  }

  /** A union of objects is told apart by QEMU's tag. */
  #compareParts(place: string, type: ts.Type, there: readonly Here[]): void {
    const parts = partsOf(type);
    if (!parts.every(isObject)) {
      this.#say(place, `is ${this.#checker.typeToString(type)}, and an object in QEMU`);
      return;
    }
    const tags = new Set(
      there.map(({ type: object }) => (object.kind === "object" ? object.object.tag : undefined)),
    );
    const [tag] = tags;
    const tagValueOf = (part: ts.Type): string | undefined => {
      const property = propertiesOf(this.#checker, part).find(({ name }) => name === tag);
      return property?.type.isStringLiteral() ? property.type.value : undefined;
    };
    for (const part of parts) {
      const value = tagValueOf(part);
      if (parts.length > 1 && value === undefined) this.#say(place, "has a choice without the tag");
      this.#compareMembers(value === undefined ? place : `${place}(${value})`, part, there, value);
    }
    if (this.#direction === "sent" || parts.length === 1 || tag === undefined) return;
    const cases = there.map(({ type: object }) =>
      object.kind === "object" ? Object.keys(object.object.cases ?? {}) : [],
    );
    this.#compareValues(
      `${place}.${tag}`,
      parts.flatMap((part) => tagValueOf(part) ?? []),
      cases,
    );
  }

  #compareMembers(place: string, type: ts.Type, there: readonly Here[], tagValue: string | undefined): void {
    const versions = there.flatMap(({ schema, type: object }) => {
      if (object.kind !== "object") return [];
      const { tag, cases } = object.object;
      // A choice that one version lacks is told by #compareValues.
      if (
        this.#direction === "received" &&
        tag !== undefined &&
        tagValue !== undefined &&
        !(tagValue in (cases ?? {}))
      )
        return [];
      return [{ schema, tag, members: membersOf(schema, object.object, tagValue) }];
    });
    const ours = propertiesOf(this.#checker, type);
    for (const { name, optional, type: memberType } of ours) {
      const memberPlace = `${place}.${name}`;
      const references = versions.flatMap(({ schema, members }) => {
        const reference = Object.hasOwn(members, name) ? members[name] : undefined;
        return reference === undefined ? [] : [{ schema, reference }];
      });
      const inAll = references.length === versions.length;
      if (references.length === 0 || (this.#direction === "sent" && !inAll)) {
        this.#say(memberPlace, "is not in every QEMU");
        continue;
      }
      const required = references.filter(({ reference }) => !reference.endsWith("?")).length;
      const needed = this.#direction === "sent" ? required > 0 : inAll && required === references.length;
      if (needed === optional && !this.#exempt.has(memberPlace.replace(/\(.*\)/, ""))) {
        this.#say(memberPlace, `is ${optional ? "optional" : "required"}, and not so in QEMU`);
      }
      const isTagOfOne =
        this.#direction === "received" &&
        versions.some(({ tag }) => tag === name) &&
        memberType.isStringLiteral();
      if (!isTagOfOne) {
        this.compare(memberPlace, memberType, references);
      }
    }
    if (this.#direction === "received") return;
    for (const { schema, members } of versions) {
      for (const [name, reference] of Object.entries(members)) {
        if (reference.endsWith("?") || ours.some((member) => member.name === name)) continue;
        this.#say(`${place}.${name}`, `is missing, and required in QEMU ${schema.version}`);
      }
    }
  }

  #say(place: string, what: string): void {
    this.problems.push(`${place} ${what}`);
  }
}

function nameOf({ type }: Here): string {
  return type.kind === "builtin" ? type.name : type.kind;
}

function isObject(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0;
}

/** The objects of a union belong together: one choice of QEMU's covers them all. */
function mergeObjects(parts: readonly ts.Type[]): readonly (readonly ts.Type[])[] {
  const objects = parts.filter(
    (part) => (part.flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) !== 0,
  );
  const others = parts.filter((part) => !objects.includes(part)).map((part) => [part]);
  return objects.length === 0 ? others : [...others, objects];
}
