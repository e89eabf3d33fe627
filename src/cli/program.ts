import { Command, CommanderError } from "commander";
import { exitStatus } from "./exit.ts";
import { groups } from "./groups.ts";
import { longVersion } from "./version.ts";

const about = `Runs QEMU/KVM guests whose NUMA and PCIe topology is a faithful image of the host's.

A profile says what the guest is; qlaunch plans it, explains it, starts it, pins
it and proves it. Nothing of qlaunch stays resident.`;

const more = `
Examples:
  qlaunch plan gpu.json --format explain   what would be started, and why
  qlaunch up gpu.json                      start it in the background
  qlaunch vcpus gpu                        where its vCPUs run
  qlaunch down gpu                         power it down

Exit status: 0 done, 1 refused by the host or the VM, 2 wrong usage or invalid profile, 70 a bug.`;

/**
 * The command line: with every command, or the one that is wanted, where there is one of that name; building them all
 * takes longer than most of them run. What a command does is loaded when it runs.
 * @param words of a command line, without the program's name
 */
export async function buildProgram(...words: readonly string[]): Promise<Command> {
  const [wanted, part] = words;
  const program = new Command("qlaunch")
    .helpOption("-h, --help", "print help")
    .showHelpAfterError("(see --help)")
    .showSuggestionAfterError()
    .exitOverride();
  const isOne = Object.values(groups).some((group) => wanted !== undefined && Object.hasOwn(group, wanted));
  if (!isOne || mayShowHelp(words)) {
    program
      .description(about)
      .version(longVersion, "-V, --version", "print the version, the commit and the runtime")
      .helpCommand("help [command]", "print help for a command")
      .addHelpText("after", more);
  }
  for (const [heading, group] of Object.entries(groups)) {
    program.commandsGroup(heading);
    for (const [name, load] of Object.entries(group)) {
      if (!isOne || name === wanted) (await load())(program, part);
    }
  }
  if (!isOne) addCompleting(program);
  return program;
}

/** What the scripts of `completion` ask at each key; it must answer quickly and never fail loudly. */
function addCompleting(program: Command): void {
  program.command("__complete [words...]", { hidden: true }).action(async (words: string[]) => {
    const { complete } = await import("./complete.ts");
    const { vmNames } = await import("../actions/names.ts");
    const { realSystem } = await import("../system/index.ts");
    const { words: candidates, files } = complete(program, words, vmNames(realSystem));
    process.stdout.write([...candidates, ...(files ? [":files"] : []), ""].join("\n"));
  });
}

/** Whether there may be a question about the program itself in it: in words, or by leaving out what a command needs. */
function mayShowHelp([, second = "-", ...rest]: readonly string[]): boolean {
  if (second.startsWith("-")) return true;
  return [second, ...rest].some((word) => ["-h", "--help", "help", "-V", "--version"].includes(word));
}

/** Runs one command line and answers the exit status. */
export async function runCli(arguments_: readonly string[]): Promise<number> {
  const program = await buildProgram(...arguments_);
  try {
    await program.parseAsync(arguments_, { from: "user" });
    return Number(process.exitCode ?? exitStatus.done);
  } catch (error) {
    // commander has printed its own message; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
    throw error;
  }
}
