import { bun } from "./bun.ts";

/** Functions of the C library that Node's API has no word for. */
export interface CLibrary {
  /** Takes or frees a lock of an open file. @returns -1 when it fails. @see https://man7.org/linux/man-pages/man2/flock.2.html */
  flock(descriptor: number, operation: number): number;
  /** @returns -1 when it fails. @see https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html */
  sched_setaffinity(threadId: number, bytes: number, mask: Uint8Array): number;
  /** The number of the last error. */
  errorNumber(): number;
}

/** The part of `bun:ffi` that is used. @see https://bun.com/docs/runtime/ffi */
interface ForeignFunctions {
  dlopen(
    library: string,
    functions: Readonly<Record<string, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: Omit<CLibrary, "errorNumber"> & { __errno_location(): number } };
  readonly read: { i32(pointer: number, offset: number): number };
}

/** The GNU C library, and musl's. */
const names = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

let opened: Promise<CLibrary | undefined> | undefined;

/** @returns undefined where this runtime cannot call functions of the C library: programs do it then */
export function openCLibrary(): Promise<CLibrary | undefined> {
  opened ??= open();
  return opened;
}

async function open(): Promise<CLibrary | undefined> {
  if (bun === undefined) return undefined;
  // Not a literal: bundlers for Node would look for it.
  const specifier = "bun:ffi";
  const { dlopen, read } = (await import(specifier)) as ForeignFunctions;
  for (const name of names) {
    try {
      const { symbols } = dlopen(name, {
        flock: { args: ["i32", "i32"], returns: "i32" },
        sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
        __errno_location: { args: [], returns: "ptr" },
      });
      const { flock, sched_setaffinity } = symbols;
      return { flock, sched_setaffinity, errorNumber: () => read.i32(symbols.__errno_location(), 0) };
    } catch {
      // The next one.
    }
  }
  return undefined;
}
