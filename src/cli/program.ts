import { Command, CommanderError } from "commander";
import { exitStatus } from "./exit.ts";
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

/** @param part the part of the command that is wanted, where it has parts */
type Add = (program: Command, part?: string) => void;

/** Each command, by its name, under the heading that help has for it; its module is loaded when it is wanted. */
const groups: Readonly<Record<string, Readonly<Record<string, () => Promise<Add>>>>> = {
  "Before a start:": {
    plan: async () => (await import("./commands/plan.ts")).addPlan,
    check: async () => (await import("./commands/check.ts")).addCheck,
    "why-not": async () => (await import("./commands/why-not.ts")).addWhyNot,
    import: async () => (await import("./commands/import.ts")).addImport,
    rehearse: async () => (await import("./commands/rehearse.ts")).addRehearse,
    nccl: async () => (await import("./commands/nccl.ts")).addNccl,
  },
  "Start and stop:": {
    up: async () => (await import("./commands/up.ts")).addUp,
    run: async () => (await import("./commands/run.ts")).addRun,
    down: async () => (await import("./commands/down.ts")).addDown,
    pause: async () => (await import("./commands/control.ts")).addPause,
    resume: async () => (await import("./commands/control.ts")).addResume,
    reset: async () => (await import("./commands/control.ts")).addReset,
  },
  "Change a running VM:": {
    setvcpus: async () => (await import("./commands/setvcpus.ts")).addSetVcpus,
    memory: async () => (await import("./commands/memory.ts")).addMemory,
    device: async () => (await import("./commands/device.ts")).addDevice,
    ops: async () => (await import("./commands/ops.ts")).addOps,
  },
  "Look:": {
    ps: async () => (await import("./commands/ps.ts")).addPs,
    info: async () => (await import("./commands/info.ts")).addInfo,
    vcpus: async () => (await import("./commands/vcpus.ts")).addVcpus,
    verify: async () => (await import("./commands/verify.ts")).addVerify,
    logs: async () => (await import("./commands/logs.ts")).addLogs,
    console: async () => (await import("./commands/console.ts")).addConsole,
    events: async () => (await import("./commands/events.ts")).addEvents,
    qmp: async () => (await import("./commands/qmp.ts")).addQmp,
  },
  "The host and the profile format:": {
    host: async () => (await import("./commands/host.ts")).addHost,
    vfio: async () => (await import("./commands/vfio.ts")).addVfio,
    acs: async () => (await import("./commands/acs.ts")).addAcs,
    schema: async () => (await import("./commands/schema.ts")).addSchema,
    completion: async () => (await import("./commands/completion.ts")).addCompletion,
    __rehearse: async () => (await import("./commands/rehearse.ts")).addRehearsalParts,
  },
};

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
  return program;
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
