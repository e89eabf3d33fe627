import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Duplex } from "node:stream";
import { type Processes, type StartedProcess, SystemError } from "./system.ts";
import { attempt, guard } from "./system-error.ts";

/** Loaded when first needed: most commands run nothing. */
const loadRunner = () => import("execa");

/** Real processes. No shell anywhere: a program and its arguments. */
export const processes: Processes = {
  async run(program, arguments_, options = {}) {
    const { execa } = await loadRunner();
    const result = await execa(program, arguments_, {
      reject: false,
      stdin: options.input === undefined ? "ignore" : "pipe",
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.environment === undefined ? {} : { env: options.environment }),
    });
    if (result.exitCode === undefined && result.signal === undefined) {
      throw new SystemError(
        result.code ?? "EUNKNOWN",
        result.shortMessage ?? `${program} could not be started`,
      );
    }
    return {
      exitCode: result.exitCode,
      signal: result.timedOut ? "timeout" : result.signal,
      stdout: result.stdout,
      stderr: result.stderr,
    };
  },

  start(program, arguments_, options) {
    const log = guard(() => openSync(options.logPath, "a", 0o600));
    const output = options.foreground ? "inherit" : log;
    // Descriptor 3 becomes one end of a socket pair: the monitor is connected before QEMU has run an instruction.
    const child = spawn(program, arguments_, {
      detached: !options.foreground,
      cwd: "/",
      stdio: [options.foreground ? "inherit" : "ignore", output, output, "pipe"],
      ...(options.environment === undefined ? {} : { env: { ...process.env, ...options.environment } }),
    });
    closeSync(log);
    const monitor = child.stdio[3] as Duplex;
    // What starts a program runs others next, unless threads are pinned by a call; the time until it answers is free.
    if (process.versions.bun === undefined) child.once("spawn", () => void loadRunner());
    const exited = new Promise<{ exitCode: number | undefined; signal: string | undefined }>((resolve) => {
      child.once("exit", (exitCode, signal) =>
        resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined }),
      );
    });
    return new Promise<StartedProcess>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) =>
        reject(new SystemError(error.code ?? "EUNKNOWN", error.message, { cause: error })),
      );
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
  },

  find(program) {
    const candidates = program.includes("/")
      ? [program]
      : (process.env.PATH ?? "/usr/bin:/bin").split(delimiter).map((folder) => join(folder || ".", program));
    return candidates.find((path) =>
      attempt(() => {
        accessSync(path, constants.X_OK);
        return statSync(path).isFile();
      }),
    );
  },

  signal(pid, signal) {
    try {
      return guard(() => process.kill(pid, signal));
    } catch (error) {
      if (error instanceof SystemError && error.code === "ESRCH") return false;
      throw error;
    }
  },
};
