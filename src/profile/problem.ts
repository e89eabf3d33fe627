import type { Diagnostic } from "../errors/index.ts";
import type { Span } from "./places.ts";

/** A diagnostic on its way to its place: on the value of its path, on the key, or on a span of the text. */
export interface Problem {
  readonly diagnostic: Diagnostic;
  readonly on: "value" | "key" | Span;
  /** The key that an unknown key was probably meant to be. */
  readonly meant?: string;
}

type Words = Pick<Diagnostic, "code" | "path" | "found" | "needed" | "fix">;

export function problem(on: Problem["on"], words: Words): Problem {
  return { diagnostic: { ...words, severity: "error" }, on };
}
