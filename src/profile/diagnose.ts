import { type DocumentNode, evaluate, parse } from "@humanwhocodes/momoa";
import type * as z from "zod";
import { type Diagnostic, formatJsonPath } from "../errors/index.ts";
import { problemsOf } from "./issues.ts";
import { inFileOrder, locateIn } from "./locate.ts";
import type { ProfileReading } from "./parse.ts";
import { SourceText, ValueTree } from "./places.ts";
import { type Problem, problem } from "./problem.ts";
import { repairKeys, type Spellings, spelledPath } from "./repair.ts";
import { profileSchema } from "./schema.ts";
import { controlCharacter, endsEarly, syntaxError, syntaxExtensions } from "./syntax.ts";

/** Reads a profile that has something wrong with it, and says everything that can be said at once. */
export function diagnose(text: string, file: string): ProfileReading {
  const { value, ...reading } = diagnoseAs(profileSchema, text, file);
  return { ...reading, ...(value === undefined ? {} : { profile: value }) };
}

/** The same for a text that is one part of a profile. */
export function diagnoseAs<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  file: string,
): Omit<ProfileReading, "profile"> & { readonly value?: z.output<Schema> } {
  const source = new SourceText(file, text);
  const { document, problems } = readText(text);
  if (document === undefined) {
    const diagnostics = placed(problems, source);
    return { diagnostics, locate: async (others) => [...others] };
  }
  const tree = new ValueTree(document.body, source);
  const spellings: Spellings = new Map();
  const { value, problems: wrong } = readValue(schema, evaluate(document.body), spellings);
  const all = [...problems, ...repeatedKeys(tree, source), ...wrong];
  return {
    ...(value === undefined ? {} : { value }),
    diagnostics: placed(all, source, tree, spellings),
    locate: async (diagnostics) => locateIn(diagnostics, source, tree, spellings),
  };
}

function readText(text: string): { document?: DocumentNode; problems: Problem[] } {
  const control = controlCharacter(text);
  try {
    const document = parse(text);
    return control ? { problems: [control] } : { document, problems: [] };
  } catch (strictError) {
    const strict = syntaxError(text, offsetOf(strictError, text));
    if (control && startOf(control) <= startOf(strict)) return { problems: [control] };
    try {
      const document = parse(text, { mode: "json5", tokens: true, allowTrailingCommas: true });
      return { document, problems: syntaxExtensions(text, document.tokens ?? []) };
    } catch {
      return { problems: [strict] };
    }
  }
}

/** The parser places an early end on what it read last. */
function offsetOf(error: unknown, text: string): number {
  if (!(error instanceof Error) || !("offset" in error)) return 0;
  const offset = Number(error.offset);
  const isEnd = error.message.startsWith("Unexpected end") || endsEarly(text, offset);
  return isEnd ? text.trimEnd().length : offset;
}

function startOf({ on }: Problem): number {
  return typeof on === "string" ? 0 : on[0];
}

function repeatedKeys(tree: ValueTree, source: SourceText): Problem[] {
  return tree.repeatedKeys().map(({ path, first, again }) =>
    problem(again, {
      code: "PROFILE_DUPLICATE_KEY",
      path,
      found: `${formatJsonPath(path)} is given a second time; the first is on line ${source.place(first).line}`,
      needed: "each key once in an object",
      fix: "remove one of the two",
    }),
  );
}

/** Corrects keys until none is unknown, so that one wrong name hides nothing. */
function readValue<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  spellings: Spellings,
): { value?: z.output<Schema>; problems: Problem[] } {
  const unknownKeys: Problem[] = [];
  for (;;) {
    const result = schema.safeParse(value);
    if (result.success) return { value: result.data, problems: unknownKeys };
    const problems = problemsOf(schema, value, result.error.issues);
    const version = problems.find(({ diagnostic }) => diagnostic.code === "PROFILE_VERSION");
    if (version !== undefined) return { problems: [version] };
    const unknown = problems.filter(({ diagnostic }) => diagnostic.code === "PROFILE_UNKNOWN_KEY");
    if (unknown.length === 0) return { problems: [...unknownKeys, ...problems] };
    unknownKeys.push(...unknown);
    repairKeys(value, unknown, spellings);
  }
}

function placed(
  problems: readonly Problem[],
  source: SourceText,
  tree?: ValueTree,
  spellings: Spellings = new Map(),
): Diagnostic[] {
  return inFileOrder(
    problems.map(({ diagnostic, on }) => {
      const path = spelledPath(diagnostic.path, spellings);
      const span =
        typeof on !== "string" ? on : (tree?.[on === "key" ? "keySpan" : "valueSpan"](path) ?? [0, 0]);
      return { ...diagnostic, path, place: source.place(span) };
    }),
  );
}
