import type * as z from "zod";
import { formatJsonPath, type JsonPath } from "../errors/index.ts";
import { describeSchema, describeValue } from "./describe.ts";
import { fixFor } from "./fixes.ts";
import { type Problem, problem } from "./problem.ts";
import { branchFor, childOf, expectationOf, jsonTypeOf, optionsOf, typesOf, unwrap } from "./shape.ts";
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
    const schema = meantSchema(node.schema, node.value);
    return issue.keys.map((key) => unknownKey(root, schema, [...node.path, key]));
  }
  // A word or a number is told against all branches, an object or a list against the one that was meant.
  if (issue.code === "invalid_union" && typeof node.value === "object") {
    const options = optionsOf(node.schema);
    const branch = branchFor(options, node.value);
    const schema = branch === undefined ? undefined : options[branch];
    if (branch !== undefined && schema !== undefined) {
      return (issue.errors[branch] ?? []).flatMap((inner) => problemsAt({ ...node, schema }, inner, root));
    }
  }
  return [node.value === undefined ? missingKey(node) : wrongValue(node)];
}

/** The schema of one branch where there are several. */
function meantSchema(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  const options = optionsOf(schema);
  return options[branchFor(options, value) ?? 0] ?? schema;
}

/** Follows a path of zod's; a path through a union goes on in the branch that the value was meant for. */
function walk(base: Node, path: readonly PropertyKey[]): Node {
  let node = base;
  for (const step of path as JsonPath) {
    const container = meantSchema(node.schema, node.value);
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
