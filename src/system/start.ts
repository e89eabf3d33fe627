import { bun } from "./bun.ts";
import { BunStream } from "./bun-stream.ts";
import { calls, openFlags } from "./file-calls.ts";
import type { Exit, StartedProcess, StartOptions } from "./system.ts";
import { asSystemError, must } from "./system-error.ts";

type Start = (command: Command, options: StartOptions, log: number) => Promise<StartedProcess>;

interface Command {
  readonly program: string;
  readonly arguments_: readonly string[];
}

/**
 * Starts a program that goes on when this one ends. Descriptor 3 becomes one end of a socket pair: the monitor is
 * connected before QEMU has run an instruction.
 */
export async function start(
  program: string,
  arguments_: readonly string[],
  options: StartOptions,
): Promise<StartedProcess> {
  const { write, create, append } = openFlags;
  const log = must(calls.open(options.logPath, write | create | append, 0o600), "open", options.logPath);
  const startHere: Start = bun === undefined ? startByNode : startByBun(bun);
  try {
    return await startHere({ program, arguments_ }, options, log);
  } catch (error) {
    throw asSystemError(error);
  } finally {
    calls.close(log);
  }
}

const environmentOf = ({ environment }: StartOptions) => ({ ...process.env, ...environment });

const startByNode: Start = async ({ program, arguments_ }, options, log) => {
  const { spawn } = await import("node:child_process");
  const output = options.foreground ? "inherit" : log;
  const child = spawn(program, arguments_, {
    detached: !options.foreground,
    cwd: "/",
    stdio: [options.foreground ? "inherit" : "ignore", output, output, "pipe"],
    env: environmentOf(options),
  });
  const monitor = child.stdio[3] as unknown as StartedProcess["monitor"];
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (exitCode, signal) => resolve(exitOf(exitCode, signal)));
  });
  return new Promise<StartedProcess>((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () =>
      resolve({
        pid: child.pid as number,
        monitor,
        exited,
        release() {
          child.unref();
          monitor.destroy();
        },
      }),
    );
  });
};

const startByBun =
  (runtime: NonNullable<typeof bun>): Start =>
  async ({ program, arguments_ }, options, log) => {
    const output = options.foreground ? "inherit" : log;
    let settle: (exit: Exit) => void = () => {};
    const exited = new Promise<Exit>((resolve) => {
      settle = resolve;
    });
    const child = runtime.spawn([program, ...arguments_], {
      detached: options.foreground !== true,
      cwd: "/",
      stdio: [options.foreground ? "inherit" : "ignore", output, output, "pipe"],
      env: environmentOf(options),
      onExit: (_, exitCode, signal) => settle(exitOf(exitCode, signal)),
    });
    const monitor = await BunStream.open(runtime, { fd: child.stdio[3] as number });
    return {
      pid: child.pid,
      monitor,
      exited,
      release() {
        child.unref();
        monitor.destroy();
      },
    };
  };

const exitOf = (exitCode: number | null, signal: string | null): Exit => ({
  exitCode: exitCode ?? undefined,
  signal: signal ?? undefined,
});
