import type { Diagnostic } from "../errors/index.ts";
import type { Event } from "../events/event.ts";

/** One event as one line, for `--json`. */
export function renderJsonEvent(event: Event): string {
  return JSON.stringify(event);
}

/** Problems as one object: `{"diagnostics": [...]}`, each with code, place, path, found, needed and fix. */
export function renderJsonDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return renderJson({ diagnostics });
}

/** A result, indented for people who look at it. */
export function renderJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
