import { fstatSync, writeSync } from "node:fs";
import { deviceMajor } from "./device-number.ts";
import { attempt } from "./system-error.ts";

/** Standard output or standard error. */
export interface OutputStream {
  readonly isTerminal: boolean;
  /** Width of the terminal, in characters; undefined where there is none. */
  readonly columns: number | undefined;
  write(text: string): void;
}

/** Between two looks at a pipe that is full and does not wait by itself. */
const retryMs = 1;

/**
 * A terminal is the runtime's stream. Anything else is written to at once, as the runtime does for files and pipes: to
 * make such a stream takes longer than most commands work.
 * @see https://nodejs.org/api/process.html#a-note-on-process-io
 */
export function openOutput(descriptor: 1 | 2): OutputStream {
  const stream = () => (descriptor === 1 ? process.stdout : process.stderr);
  if (mayBeTerminal(descriptor) && stream().isTTY === true) {
    return { isTerminal: true, columns: stream().columns, write: (text) => void stream().write(text) };
  }
  return {
    isTerminal: false,
    columns: undefined,
    write: (text) => writeAll(descriptor, new TextEncoder().encode(text)),
  };
}

/** The major number of /dev/null and its like. @see https://docs.kernel.org/admin-guide/devices.html */
const memoryDevices = 1;

/** Whether it is worth making the stream to ask. */
function mayBeTerminal(descriptor: number): boolean {
  const facts = attempt(() => fstatSync(descriptor));
  return facts?.isCharacterDevice() === true && deviceMajor(facts.rdev) !== memoryDevices;
}

/** @throws what isBrokenPipe knows when nobody reads any more */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    }
  }
}

/** Whether a write failed because nobody reads any more. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
