import { type QlaunchError, refusal } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import type { StartedProcess, System } from "../system/index.ts";
import type { Account } from "./accounts.ts";
import { wrapCommand } from "./command.ts";
import { type Journal, pidFileMark } from "./journal.ts";
import { lockedMemoryLimit } from "./limits.ts";
import { identify } from "./process.ts";

interface QemuStart {
  readonly system: System;
  readonly plan: Plan;
  readonly journal: Journal;
  readonly account: Account | undefined;
  readonly arguments: readonly string[];
}

/** Starts QEMU with its monitor connected. @throws QlaunchError QEMU_ABSENT, QEMU_UNUSABLE */
export async function startQemu(start: QemuStart): Promise<StartedProcess> {
  const { system, plan, journal, account } = start;
  const { run } = plan;
  const program = system.processes.find(plan.program);
  if (program === undefined) throw absent(plan.program);
  const command = wrapCommand(program, start.arguments, {
    lockedMemory: lockedMemoryLimit(system.files, run.lockedBytes, account === undefined),
    openFiles: run.openFiles,
    account,
    privilegedHelpers: run.bridges.length > 0,
  });
  const settle = journal.expectProcess("start QEMU", [pidFileMark, run.pidFile]);
  let started: StartedProcess;
  try {
    started = await system.processes.start(command.program, command.arguments, { logPath: run.logFile });
  } catch (error) {
    throw unusable(command.program, error);
  }
  const process = identify(system.files, started.pid);
  if (process !== undefined) {
    settle(process);
    journal.update({ qemu: process });
  }
  return started;
}

function absent(program: string): QlaunchError {
  return refusal("QEMU_ABSENT", {
    found: `${program} is not there or cannot be executed`,
    needed: "QEMU's program for x86-64 guests",
    fix: "apt-get install qemu-system-x86, or name another program",
  });
}

function unusable(program: string, error: unknown): QlaunchError {
  return refusal(
    "QEMU_UNUSABLE",
    {
      found: `${program} could not be started`,
      needed: "a program that the kernel executes",
      fix: "look at the file, its mode and its architecture",
      detail: error instanceof Error ? error.message : String(error),
    },
    { cause: error },
  );
}
