import { connectQmp, type QmpClient, QmpError } from "../qmp/index.ts";
import { type System, SystemError } from "../system/index.ts";

/** QEMU could not be started, or ended or fell silent before the question was answered. */
export class QemuSilent extends Error {
  override readonly name = "QemuSilent";
}

/** Far beyond what any question takes; also how long a QEMU can outlive us when we are killed while asking. */
const limitSeconds = 15;

/**
 * Starts QEMU for a few questions and ends it. Nothing of it is left, whatever happens: a watchdog ends it even when
 * this program is killed.
 * @param machine the switches that make the machine to ask
 * @throws QemuSilent; its message is QEMU's own words where there are any
 */
export async function askQemu<T>(
  system: System,
  program: string,
  machine: readonly string[],
  ask: (client: QmpClient) => Promise<T>,
): Promise<T> {
  const common = ["-nodefaults", "-no-user-config", "-display", "none", ...machine];
  const monitor = ["-chardev", "socket,id=qmp,fd=3", "-qmp", "chardev:qmp"];
  try {
    return await converse(system, [program, ...common, ...monitor], ask);
  } catch (error) {
    if (!(error instanceof QmpError || error instanceof SystemError)) throw error;
    throw new QemuSilent((await lastWords(system, program, common)) || error.message, { cause: error });
  }
}

async function converse<T>(
  system: System,
  command: readonly string[],
  ask: (client: QmpClient) => Promise<T>,
): Promise<T> {
  const watched = ["-s", "KILL", String(limitSeconds), ...command];
  const started = await system.processes.start("timeout", watched, { logPath: "/dev/null" });
  let running = true;
  const ended = started.exited.then(() => {
    running = false;
  });
  let askedToQuit = false;
  try {
    const client = await connectQmp(started.monitor, { timeoutMs: limitSeconds * 1000 });
    const answer = await ask(client);
    // QEMU may be gone before it has said that it goes.
    await client.execute("quit").catch(() => {});
    askedToQuit = true;
    return answer;
  } finally {
    if (running && !askedToQuit) system.processes.signal(started.pid, "SIGTERM");
    await ended;
    started.release();
  }
}

/** What QEMU says on its standard error when it is started like this again; empty when it says nothing. */
async function lastWords(system: System, program: string, arguments_: readonly string[]): Promise<string> {
  try {
    const { stderr } = await system.processes.run(program, arguments_, { timeoutMs: 2000 });
    return stderr.trim();
  } catch (error) {
    if (error instanceof SystemError) return error.message;
    throw error;
  }
}
