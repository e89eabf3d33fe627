import type { z } from "zod";
import { formatJsonPath, type JsonPath } from "../errors/index.ts";
import { describeSchema, describeValue } from "./describe.ts";
import { fixFor } from "./fixes.ts";
import { type Problem, problem } from "./problem.ts";
import { branchFor, childOf, expectationOf, jsonTypeOf, type Schema, typesOf, unwrap } from "./shape.ts";
import { unknownKey } from "./unknown-key.ts";

/** A value on its way through the schema. */
interface Node {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
  readonly path: JsonPath;
}

/** What zod found wrong, in the words of this program; unions are told for the branch that was meant. */
export function problemsOf(
  root: z.core.$ZodType,
  value: unknown,
  issues: readonly z.core.$ZodIssue[],
): Problem[] {
  return issues.flatMap((issue) => problemsAt({ schema: root, value, path: [] }, issue, root));
}

function problemsAt(base: Node, issue: z.core.$ZodIssue, root: z.core.$ZodType): Problem[] {
  if (issue.code === "invalid_key") return [invalidKey(base, issue)];
  const node = walk(base, issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(root, node.schema, [...node.path, key]));
  }
  if (issue.code === "invalid_union" && expectationOf(node.schema) === undefined) {
    const branch = branchFor(optionsOf(node.schema), node.value);
    if (branch !== undefined) {
      const chosen = { ...node, schema: optionsOf(node.schema)[branch] ?? node.schema };
      return (issue.errors[branch] ?? []).flatMap((inner) => problemsAt(chosen, inner, root));
    }
  }
  return [node.value === undefined ? missingKey(node) : wrongValue(node)];
}

function optionsOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const def = unwrap(schema)._zod.def;
  return def.type === "union" ? def.options : [];
}

/** Follows a path of zod's; a path through a union goes on in the branch that the value was meant for. */
function walk(base: Node, path: readonly PropertyKey[]): Node {
  let node = base;
  for (const step of path as JsonPath) {
    let container: Schema = unwrap(node.schema);
    while (container._zod.def.type === "union") {
      const options = container._zod.def.options;
      container = unwrap(options[branchFor(options, node.value) ?? 0] ?? container);
    }
    node = {
      schema: childOf(container, step) ?? container,
      value: (node.value as Record<string | number, unknown> | undefined)?.[step],
      path: [...node.path, step],
    };
  }
  return node;
}

function invalidKey(base: Node, issue: z.core.$ZodIssueInvalidKey): Problem {
  const record = walk(base, issue.path.slice(0, -1));
  const key = String(issue.path.at(-1));
  const options = [record.schema, ...optionsOf(record.schema)].map((option) => unwrap(option)._zod.def);
  const def = options.find((option) => option.type === "record");
  const expectation = def && expectationOf(def.keyType);
  return problem("key", {
    code: "PROFILE_VALUE",
    path: [...record.path, key],
    found: `the key ${describeValue(key)} in ${formatJsonPath(record.path)}`,
    needed: expectation?.needed ?? "another key",
    fix: expectation?.fix ?? "write another key",
  });
}

function missingKey({ schema, path }: Node): Problem {
  const key = JSON.stringify(path.at(-1));
  const parent = path.length === 1 ? "the profile" : formatJsonPath(path.slice(0, -1));
  return problem("value", {
    code: "PROFILE_MISSING_KEY",
    path,
    found: `${parent} has no ${key}`,
    needed: `${key}: ${describeSchema(schema)}`,
    fix: path.at(-1) === "version" ? 'add "version": 1' : `add ${key} to ${parent}`,
  });
}

function wrongValue({ schema, value, path }: Node): Problem {
  const type = jsonTypeOf(value);
  const fits = typesOf(schema).includes(type);
  const kind =
    fits || type === "null" || type === "list" || type === "object" ? "" : `the ${typeWords[type]} `;
  const isVersion = path.length === 1 && path[0] === "version" && fits;
  return problem("value", {
    code: isVersion ? "PROFILE_VERSION" : fits ? "PROFILE_VALUE" : "PROFILE_TYPE",
    path,
    found: `${path.length === 0 ? "the profile" : formatJsonPath(path)} is ${kind}${describeValue(value)}`,
    needed: isVersion ? "version 1, the one that this program reads" : describeSchema(schema),
    fix: isVersion ? "write 1, or use a program that reads this version" : fixFor(schema, value),
  });
}

const typeWords = { string: "text", number: "number", boolean: "value" };
