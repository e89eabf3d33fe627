import type { Code } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";

/** Refusals and failures that a user can do something about; never printed with a stack trace. */
export class QlaunchError extends Error {
  override readonly name = "QlaunchError";
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[], options?: ErrorOptions) {
    super(diagnostics.map((diagnostic) => `${diagnostic.code}: ${diagnostic.found}`).join("\n"), options);
    this.diagnostics = diagnostics;
  }
}

/** Builds the error for one problem that has no place in a profile. */
export function refusal(
  code: Code,
  problem: { found: string; needed: string; fix: string; detail?: string },
  options?: ErrorOptions,
): QlaunchError {
  return new QlaunchError([{ code, severity: "error", path: [], ...problem }], options);
}
