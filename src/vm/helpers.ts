import { refusal } from "../errors/index.ts";
import type { Helper } from "../plan/types.ts";
import { type Exit, join, type System } from "../system/index.ts";
import type { Account } from "./accounts.ts";
import type { Journal } from "./journal.ts";
import { identify } from "./process.ts";
import type { Places } from "./run-root.ts";

interface HelperContext {
  readonly system: System;
  readonly places: Places;
  readonly journal: Journal;
  readonly account: Account | undefined;
}

const readyWithinMs = 15_000;

/** Starts a program that serves QEMU, and waits until it listens. @throws QlaunchError */
export async function startHelper(context: HelperContext, helper: Helper): Promise<void> {
  const { system, places, journal, account } = context;
  const program = helper.programs
    .map((name) => system.processes.find(name))
    .find((path) => path !== undefined);
  if (program === undefined) {
    throw refusal("HOST_PROGRAM_MISSING", {
      found: `none of ${helper.programs.join(", ")} is on this host`,
      needed: `the program behind ${helper.id}`,
      fix: `install ${helper.programs[0]?.split("/").at(-1)}`,
    });
  }
  const logPath = join(places.directory, `helper-${helper.id}.log`);
  const settle = journal.expectProcess(`start ${helper.id}`, helper.arguments);
  const started = await system.processes.start(program, helper.arguments, { logPath });
  const process = identify(system.files, started.pid);
  started.release();
  if (process !== undefined) {
    settle(process);
    journal.update({ helpers: [...journal.record.helpers, { id: helper.id, process }] });
  }
  await untilListening(system, helper, started.exited, logPath);
  // The helper may be root's and QEMU another user's: connecting takes the right to write the socket.
  if (account !== undefined) system.files.changeOwner(helper.socket, account.uid, account.gid);
}

async function untilListening(
  system: System,
  helper: Helper,
  exited: Promise<Exit>,
  logPath: string,
): Promise<void> {
  const deadline = system.clock.elapsedMs() + readyWithinMs;
  let exit: Exit | undefined;
  exited.then((value) => {
    exit = value;
  });
  // Looked at and not connected to: such helpers serve one connection and end after it.
  while (!system.sockets.isListening(helper.socket)) {
    const said = () => system.files.tryReadText(logPath)?.trim() ?? "";
    if (exit !== undefined) {
      throw refusal("VM_START_FAILED", {
        found: `${helper.id} ended (${describeExit(exit)}) before it listened`,
        needed: "the program to run as long as the VM",
        fix: "see its own words",
        detail: said(),
      });
    }
    if (system.clock.elapsedMs() > deadline) {
      throw refusal("VM_TIMEOUT", {
        found: `${helper.id} does not listen on ${helper.socket} after ${readyWithinMs / 1000} s`,
        needed: "its socket, for QEMU to connect to",
        fix: "see its own words",
        detail: said(),
      });
    }
    await system.clock.sleep(5);
  }
}

export function describeExit({ exitCode, signal }: Exit): string {
  return signal === undefined ? `status ${exitCode}` : signal;
}
