import { type Processes, SystemError } from "./system.ts";

/**
 * Runs a short program while this one waits. What runs programs for minutes, with time limits and all of their output, takes
 * longer to load than such a program to run.
 * @throws SystemError when it cannot be started
 */
export const runNow: Processes["run"] = async (program, arguments_, options = {}) => {
  const { spawnSync } = await import("node:child_process");
  const { input = "", environment, timeoutMs } = options;
  const { error, status, signal, stdout, stderr } = spawnSync(program, arguments_, {
    input,
    encoding: "utf8",
    env: { ...process.env, ...environment },
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
  if (error !== undefined) {
    const { code = "EUNKNOWN", message } = error as NodeJS.ErrnoException;
    throw new SystemError(code, message, { cause: error });
  }
  return { exitCode: status ?? undefined, signal: signal ?? undefined, stdout, stderr };
};
