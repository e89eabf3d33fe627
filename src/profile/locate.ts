import { parse } from "@humanwhocodes/momoa";
import type { Diagnostic } from "../errors/index.ts";
import { SourceText, ValueTree } from "./places.ts";
import { type Spellings, spelledPath } from "./repair.ts";

/** Fills the places of diagnostics about a text that is JSON. */
export function locate(text: string, file: string, diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const source = new SourceText(file, text);
  return locateIn(diagnostics, source, new ValueTree(parse(text).body, source), new Map());
}

/** The same in a text that is parsed already, whose keys may be spelled otherwise than they are meant. */
export function locateIn(
  diagnostics: readonly Diagnostic[],
  source: SourceText,
  tree: ValueTree,
  spellings: Spellings,
): Diagnostic[] {
  return inFileOrder(
    diagnostics.map((diagnostic) =>
      diagnostic.place === undefined && diagnostic.path.length > 0
        ? { ...diagnostic, place: source.place(tree.valueSpan(spelledPath(diagnostic.path, spellings))) }
        : diagnostic,
    ),
  );
}

/** By place; what has none comes last, in the order given. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const line = ({ place }: Diagnostic) => place?.line ?? Number.POSITIVE_INFINITY;
  return [...diagnostics].sort((a, b) =>
    line(a) === line(b) ? (a.place?.column ?? 0) - (b.place?.column ?? 0) : line(a) - line(b),
  );
}
