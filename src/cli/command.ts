import { realSystem, type System } from "../system/index.ts";
import { openTerminal, type Terminal } from "./terminal.ts";

/** @param parameters the arguments, the options and the command */
// biome-ignore lint/suspicious/noExplicitAny: commander's own type, as each command has parameters of its own.
export type Work = (...parameters: any[]) => void | Promise<void>;

/** A command as its module describes it: to commander, or to the reader of plain lines, which needs no more than this. */
export interface Command {
  command(nameAndArguments: string, options?: { hidden?: boolean; isDefault?: boolean }): Command;
  summary(text: string): Command;
  description(text: string): Command;
  addHelpText(position: "after", text: string): Command;
  createArgument(name: string, description: string): Choices;
  addArgument(argument: Choices): Command;
  createOption(flags: string, description: string): Option;
  addOption(option: Option): Command;
  option(flags: string, description: string): Command;
  requiredOption(flags: string, description: string): Command;
  action(work: Work): Command;
}

export interface Choices {
  choices(values: readonly string[]): this;
}

export interface Option extends Choices {
  default(value: string | number): this;
  argParser(parse: (text: string) => number): this;
  /** @param name of the option that cannot stand beside it, without dashes */
  conflicts(name: string): this;
}

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
    // Behind the arguments stand the options, and the command itself.
    const options = parameters.at(-2) as O;
    const terminal = await openTerminal(options.json === true);
    try {
      const status = await work({ system: realSystem, terminal }, options, ...(parameters.slice(0, -2) as A));
      process.exitCode = typeof status === "number" ? status : 0;
    } catch (error) {
      const { reportProblem } = await import("./problems.ts");
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

/** A number from the command line, in seconds. @throws what commander tells as a wrong argument */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    const error = new Error(`"${text}" is no number of seconds, such as 30 or 0.5.`);
    throw Object.assign(error, { code: "commander.invalidArgument" });
  }
  return value;
}
