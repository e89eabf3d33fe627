import type { Code } from "./codes.ts";

/** Keys and indexes from the profile's root to a value: `["numa", "cells", 0, "memory"]`. */
export type JsonPath = readonly (string | number)[];

/** A place in a text file. Lines and columns count from 1; the end column is exclusive. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endColumn: number;
  /** The whole line, for the printer. */
  readonly text: string;
}

/** One problem: where, what was found, what is needed, and what to do. */
export interface Diagnostic {
  readonly code: Code;
  /** A warning does not stop anything. */
  readonly severity: "error" | "warning";
  /** Where in the profile. Empty when the problem has no place there. */
  readonly path: JsonPath;
  /** What was found, as the start of a sentence without a full stop. Names both numbers where there are two. */
  readonly found: string;
  /** What is needed instead. */
  readonly needed: string;
  /** What the user can do, imperative. */
  readonly fix: string;
  /** Filled in by whoever has the text. */
  readonly place?: Place;
  /** The words of QEMU or the kernel, kept as they were. */
  readonly detail?: string;
}

/** `numa.cells[0].memory`, or `(profile)` for the root. */
export function formatJsonPath(path: JsonPath): string {
  if (path.length === 0) return "(profile)";
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (/^[A-Za-z_][\w-]*$/.test(step)) return index === 0 ? step : `.${step}`;
      return `[${JSON.stringify(step)}]`;
    })
    .join("");
}
