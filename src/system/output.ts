import { errorNumbers } from "./error-numbers.ts";
import { calls, fileTypeBits } from "./file-calls.ts";
import { may, must } from "./system-error.ts";
import { toBytes } from "./text.ts";

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
    write: (text) => writeAll(descriptor, toBytes(text)),
  };
}

/** S_IFCHR. @see https://man7.org/linux/man-pages/man7/inode.7.html */
const characterDevice = 0o020000;
/** The major number of /dev/null and its like. @see https://docs.kernel.org/admin-guide/devices.html */
const memoryDevices = 1;

/** Whether it is worth making the stream to ask. */
function mayBeTerminal(descriptor: number): boolean {
  const status = may(calls.status(descriptor));
  return (
    status !== undefined &&
    (status.mode & fileTypeBits) === characterDevice &&
    status.represents.major !== memoryDevices
  );
}

/** @throws what isBrokenPipe knows when nobody reads any more */
function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    const count = calls.write(descriptor, bytes.subarray(written));
    if (count === -errorNumbers.EAGAIN) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, retryMs);
    else written += must(count, "write");
  }
}

/** Whether a write failed because nobody reads any more. */
export function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}
