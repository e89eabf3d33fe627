import { type Command, InvalidArgumentError } from "commander";
import { realSystem, type System } from "../system/index.ts";
import { reportProblem } from "./problems.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** What a command's work gets beside its own arguments. */
export interface Context {
  readonly system: System;
  readonly terminal: Terminal;
}

interface CommonOptions {
  readonly json?: boolean;
}

/** Adds `--json`, and runs the work with its problems told in one way. The work may answer an exit status. */
export function define<A extends unknown[], O extends CommonOptions>(
  command: Command,
  work: (context: Context, options: O, ...arguments_: A) => Promise<unknown>,
): Command {
  return command.option("--json", "print JSON instead of text").action(async (...parameters: unknown[]) => {
    const options = command.opts<O>();
    const terminal = await openTerminal(options.json === true);
    try {
      const status = await work({ system: realSystem, terminal }, options, ...(parameters.slice(0, -2) as A));
      process.exitCode = typeof status === "number" ? status : 0;
    } catch (error) {
      process.exitCode = reportProblem(terminal, error);
    }
  });
}

type Add = (command: Command) => void;

/** Adds the part that is wanted, or all where there is none of that name. */
export function addParts(command: Command, parts: Readonly<Record<string, Add>>, wanted?: string): void {
  const one = wanted !== undefined && Object.hasOwn(parts, wanted) ? parts[wanted] : undefined;
  for (const add of one === undefined ? Object.values(parts) : [one]) add(command);
}

/** Text for the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
}

/** A number from the command line, in seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError(`"${text}" is no number of seconds, such as 30 or 0.5.`);
  }
  return value;
}
