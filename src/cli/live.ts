import type { LiveOptions } from "../actions/operations.ts";
import { type Command, seconds } from "./command.ts";
import { untilInterrupted } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** What every command has that changes a running VM. */
export interface LiveFlags {
  readonly json?: boolean;
  readonly timeout: number;
  readonly wait: boolean;
}

const defaultSeconds = 60;

export function addLiveFlags(command: Command): Command {
  return command
    .addOption(
      command
        .createOption("--timeout <seconds>", "how long the guest gets for its part")
        .argParser(seconds)
        .default(defaultSeconds),
    )
    .option("--no-wait", "return once QEMU took the commands; `qlaunch ops` tells the rest");
}

/** Runs the work with these flags; an interrupt stops the waiting, and the operation stays pending. */
export function withLiveFlags<T>(
  terminal: Terminal,
  flags: LiveFlags,
  work: (options: LiveOptions) => Promise<T>,
): Promise<T> {
  const { emit } = terminal;
  return untilInterrupted((signal) =>
    work({ emit, signal, timeoutMs: flags.timeout * 1000, noWait: !flags.wait }),
  );
}
