import type { Duplex, Readable, Writable } from "node:stream";
import { refusal } from "../errors/index.ts";
import type { ConsoleEnd } from "../plan/types.ts";
import { join, type System } from "../system/index.ts";
import { defaultEscapeByte, scanForEscape } from "./escape-scanner.ts";
import { type FoundVm, findVm } from "./find.ts";
import { explainConnect, readPlan, requireRunning } from "./session.ts";

export interface ConsoleStreams {
  readonly input: Readable;
  readonly output: Writable;
  /** The console's id. Default: the first serial port, else the first virtio console. */
  readonly console?: string;
  /** The byte that ends the session; null for none. Default 0x1d, which is Ctrl-]. */
  readonly escapeByte?: number | null;
  readonly signal?: AbortSignal;
}

/** What ended a session: the user's escape or signal, the VM, or the end of the input. */
export type ConsoleEnding = "escaped" | "closed" | "input-ended";

/**
 * Carries bytes between two streams and a console of a running VM, as they are. The caller puts a terminal into raw
 * mode before and back after.
 * @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_CONSOLE, VM_BUSY
 */
export async function attachConsole(
  system: System,
  name: string,
  streams: ConsoleStreams,
): Promise<ConsoleEnding> {
  const found = findVm(system, name);
  requireRunning(system, found);
  const end = chooseConsole(name, readPlan(system, found).run.consoles, streams.console);
  return withConsole(system, found, end, (socket) => pump(socket, streams));
}

/**
 * Connects to a console or channel for as long as the work takes, with nobody else on it.
 * @throws QlaunchError VM_BUSY, QMP_DISCONNECTED
 */
export async function withConsole<T>(
  system: System,
  { name, places }: FoundVm,
  end: ConsoleEnd,
  work: (socket: Duplex) => Promise<T>,
): Promise<T> {
  // QEMU lets a second client connect and then wait in silence; the lock tells who has the console.
  const lockPath = join(places.directory, `console-${end.id}.lock`);
  const lock = await system.locks.take(lockPath, `process ${process.pid}`);
  if (!("release" in lock)) {
    throw refusal("VM_BUSY", {
      found: `console ${end.id} of ${name} is in use by ${lock.heldBy || "another program"}`,
      needed: "one user of a console at a time",
      fix: "end the other session",
    });
  }
  try {
    let socket: Duplex;
    try {
      socket = await system.sockets.connectDuplex(end.socket);
    } catch (error) {
      throw explainConnect(name, end.socket, error);
    }
    return await work(socket);
  } finally {
    lock.release();
  }
}

/** @throws QlaunchError VM_CONSOLE */
export function chooseConsole(
  name: string,
  consoles: readonly ConsoleEnd[],
  wanted: string | undefined,
): ConsoleEnd {
  const chosen =
    wanted === undefined
      ? (consoles.find(({ type }) => type === "serial") ?? consoles.find(({ type }) => type === "virtio"))
      : consoles.find(({ id }) => id === wanted);
  if (chosen !== undefined) return chosen;
  const ids = consoles.map(({ id }) => id).join(", ");
  throw refusal("VM_CONSOLE", {
    found: wanted === undefined ? `${name} has no console` : `${name} has no console ${wanted}`,
    needed: ids === "" ? "a profile with a console" : `one of ${ids}`,
    fix: ids === "" ? 'add { "type": "serial" } to consoles and start it again' : "name one of them",
  });
}

function pump(socket: Duplex, streams: ConsoleStreams): Promise<ConsoleEnding> {
  const { input, output, escapeByte = defaultEscapeByte, signal } = streams;
  return new Promise((resolve) => {
    const finish = (ending: ConsoleEnding) => {
      input.off("data", onInput).off("end", onInputEnd).pause();
      socket.off("data", onOutput);
      signal?.removeEventListener("abort", onAbort);
      // What was typed last still goes out.
      socket.end();
      socket.resume();
      resolve(ending);
    };
    const onInput = (chunk: Uint8Array) => {
      const { forward, escaped } = scanForEscape(chunk, escapeByte);
      if (forward.length > 0 && !socket.write(forward)) {
        input.pause();
        socket.once("drain", () => input.resume());
      }
      if (escaped) finish("escaped");
    };
    const onOutput = (chunk: Uint8Array) => {
      if (output.write(chunk)) return;
      socket.pause();
      output.once("drain", () => socket.resume());
    };
    const onInputEnd = () => finish("input-ended");
    const onAbort = () => finish("escaped");
    socket.on("data", onOutput);
    // An end by reset is an end.
    socket.once("error", () => finish("closed")).once("close", () => finish("closed"));
    input.on("data", onInput).once("end", onInputEnd);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
