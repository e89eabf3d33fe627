import { files } from "./files.ts";
import { delimiter, join } from "./paths.ts";
import { start } from "./start.ts";
import { type Processes, SystemError } from "./system.ts";
import { guard } from "./system-error.ts";

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

  start,

  find(program) {
    const candidates = program.includes("/")
      ? [program]
      : (process.env.PATH ?? "/usr/bin:/bin").split(delimiter).map((folder) => join(folder || ".", program));
    return candidates.find((path) => files.allows(path, "execute") && files.facts(path)?.kind === "file");
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
