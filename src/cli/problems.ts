import { type Diagnostic, exitStatusOf, QlaunchError } from "../errors/index.ts";
import { renderDiagnostics, renderJsonDiagnostics } from "../report/index.ts";
import { isBrokenPipe } from "../system/index.ts";
import { exitStatus } from "./exit.ts";
import type { Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** Tells what went wrong and answers the exit status. */
export function reportProblem(terminal: Terminal, error: unknown): number {
  if (error instanceof QlaunchError) {
    printDiagnostics(terminal, error.diagnostics);
    return exitStatusOf(error.diagnostics);
  }
  if (isBrokenPipe(error)) return exitStatus.done;
  const { stack, message } = error instanceof Error ? error : { stack: undefined, message: String(error) };
  terminal.printError([
    `qlaunch ${version} has a bug: ${message}`,
    ...(stack ? [stack] : []),
    "Please report it with the command, the profile and the lines above.",
  ]);
  return exitStatus.bug;
}

/** Problems on standard error, or as JSON on standard output, where a program that asked for JSON reads. */
export function printDiagnostics(terminal: Terminal, diagnostics: readonly Diagnostic[]): void {
  if (terminal.json) terminal.print(renderJsonDiagnostics(diagnostics));
  else terminal.printError(renderDiagnostics(diagnostics, terminal.errorStyle));
}
