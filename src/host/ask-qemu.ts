import { connectQmp, type QmpClient, QmpError } from "../qmp/index.ts";
import { type ByteStream, type System, SystemError } from "../system/index.ts";

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
 * @param answerLimitMs how long each answer may take
 * @throws QemuSilent; its message is QEMU's own words where there are any
 */
export async function askQemu<T>(
  system: System,
  program: string,
  machine: readonly string[],
  ask: (client: QmpClient) => Promise<T>,
  answerLimitMs = limitSeconds * 1000,
): Promise<T> {
  const common = ["-nodefaults", "-no-user-config", "-display", "none"];
  const command = [program, ...common, ...machine, "-chardev", "socket,id=qmp,fd=3", "-qmp", "chardev:qmp"];
  const log = makeLog(system);
  try {
    return await converse(system, command, log.path, (monitor) =>
      connectQmp(monitor, { timeoutMs: answerLimitMs }).then(ask),
    );
  } catch (error) {
    if (!(error instanceof QmpError || error instanceof SystemError)) throw error;
    const words = system.files.tryReadText(log.path)?.trim();
    throw new QemuSilent(words || error.message, { cause: error });
  } finally {
    log.remove();
  }
}

async function converse<T>(
  system: System,
  command: readonly string[],
  logPath: string,
  talk: (monitor: ByteStream) => Promise<T>,
): Promise<T> {
  const watched = ["-s", "KILL", String(limitSeconds), ...command];
  const started = await system.processes.start("timeout", watched, { logPath });
  let running = true;
  const ended = started.exited.then(() => {
    running = false;
  });
  try {
    return await talk(started.monitor);
  } finally {
    // There is nothing to save, and QEMU 7.2 may hang when it ends by itself while a command is under way, deaf to
    // SIGTERM. It shares a process group with the watchdog, who leads it.
    if (running) system.processes.signal(-started.pid, "SIGKILL");
    await ended;
    started.release();
  }
}

/** A place for what QEMU says on its standard error, which nobody else can have made. Without one, it is lost. */
function makeLog(system: System): { path: string; remove(): void } {
  const folder = `${system.user.environment.TMPDIR || "/tmp"}/qlaunch-${crypto.randomUUID()}`;
  try {
    system.files.makeDirectory(folder, 0o700);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { path: "/dev/null", remove: () => {} };
  }
  return { path: `${folder}/qemu.log`, remove: () => system.files.remove(folder) };
}
