/**
 * The runtime of the single file, where that is what runs: undefined under Node. Its own functions start a program and
 * open a socket in a fraction of a millisecond; the same by way of Node's modules loads its streams first, which takes ten.
 * Only the parts that are used.
 * @see https://bun.com/reference/bun
 */
export const bun = (globalThis as { readonly Bun?: Bun }).Bun;

interface Bun {
  /** @throws Error with `code` when the program cannot be started */
  spawn(command: readonly string[], options: BunSpawnOptions): BunProcess;
  /** @throws Error with `code` when there is nobody to connect to */
  connect(
    options: BunSocketSource & { readonly binaryType: "uint8array"; readonly socket: BunSocketHandler },
  ): Promise<BunSocket>;
  /**
   * What the module `bun:ffi` is made of. That module's own text, which also turns values into what C has, takes four times
   * as long to load as the functions to find.
   * @see https://bun.com/docs/runtime/ffi
   */
  readonly FFI?: ForeignFunctions;
}

export interface ForeignFunctions {
  /** Functions take and give numbers. @returns an Error when there is no such library @throws TypeError where the runtime makes no code */
  dlopen<Name extends string>(
    library: string,
    functions: Readonly<Record<Name, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Readonly<Record<Name, (...values: readonly number[]) => number>> } | Error;
  /** Where its bytes are. */
  ptr(bytes: Uint8Array): number;
  readonly read: { i32(pointer: number, offset: number): number };
}

type Stdio = "ignore" | "inherit" | "pipe" | number;

interface BunSpawnOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of a session of its own. */
  readonly detached: boolean;
  readonly stdio: readonly Stdio[];
  readonly onExit: (process: unknown, exitCode: number | null, signal: string | null) => void;
}

interface BunProcess {
  readonly pid: number;
  /** For "pipe" beyond standard error, our descriptor of a socket pair. */
  readonly stdio: readonly (number | null)[];
  unref(): void;
}

/** The path of a socket, or a descriptor that is connected already. */
export type BunSocketSource = { readonly unix: string } | { readonly fd: number };

export interface BunSocket {
  /** @returns how many bytes were taken; the rest is to be given again after `drain` */
  write(bytes: Uint8Array): number;
  /** Ends it now. */
  terminate(): void;
}

interface BunSocketHandler {
  readonly data: (socket: BunSocket, bytes: Uint8Array) => void;
  readonly drain: () => void;
  readonly end: () => void;
  readonly close: () => void;
  readonly error: (socket: BunSocket, error: Error) => void;
}
