import { Command, CommanderError } from "commander";
import { addAcs } from "./commands/acs.ts";
import { addCheck } from "./commands/check.ts";
import { addCompletion } from "./commands/completion.ts";
import { addConsole } from "./commands/console.ts";
import { addPause, addReset, addResume } from "./commands/control.ts";
import { addDevice } from "./commands/device.ts";
import { addDown } from "./commands/down.ts";
import { addEvents } from "./commands/events.ts";
import { addHost } from "./commands/host.ts";
import { addImport } from "./commands/import.ts";
import { addInfo } from "./commands/info.ts";
import { addLogs } from "./commands/logs.ts";
import { addMemory } from "./commands/memory.ts";
import { addNccl } from "./commands/nccl.ts";
import { addOps } from "./commands/ops.ts";
import { addPlan } from "./commands/plan.ts";
import { addPs } from "./commands/ps.ts";
import { addQmp } from "./commands/qmp.ts";
import { addRehearsalParts, addRehearse } from "./commands/rehearse.ts";
import { addRun } from "./commands/run.ts";
import { addSchema } from "./commands/schema.ts";
import { addSetVcpus } from "./commands/setvcpus.ts";
import { addUp } from "./commands/up.ts";
import { addVcpus } from "./commands/vcpus.ts";
import { addVerify } from "./commands/verify.ts";
import { addVfio } from "./commands/vfio.ts";
import { addWhyNot } from "./commands/why-not.ts";
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

/** The whole command line. What a command does is loaded when it runs. */
export function buildProgram(): Command {
  const program = new Command("qlaunch")
    .description(about)
    .version(longVersion, "-V, --version", "print the version, the commit and the runtime")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .showHelpAfterError("(see --help)")
    .showSuggestionAfterError()
    .addHelpText("after", more)
    .exitOverride();
  program.commandsGroup("Before a start:");
  addPlan(program);
  addCheck(program);
  addWhyNot(program);
  addImport(program);
  addRehearse(program);
  addNccl(program);
  program.commandsGroup("Start and stop:");
  addUp(program);
  addRun(program);
  addDown(program);
  addPause(program);
  addResume(program);
  addReset(program);
  program.commandsGroup("Change a running VM:");
  addSetVcpus(program);
  addMemory(program);
  addDevice(program);
  addOps(program);
  program.commandsGroup("Look:");
  addPs(program);
  addInfo(program);
  addVcpus(program);
  addVerify(program);
  addLogs(program);
  addConsole(program);
  addEvents(program);
  addQmp(program);
  program.commandsGroup("The host and the profile format:");
  addHost(program);
  addVfio(program);
  addAcs(program);
  addSchema(program);
  addCompletion(program);
  addRehearsalParts(program);
  return program;
}

/** Runs one command line and answers the exit status. */
export async function runCli(arguments_: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync(arguments_, { from: "user" });
    return Number(process.exitCode ?? exitStatus.done);
  } catch (error) {
    // commander has printed its own message; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage;
    throw error;
  }
}
