import { bun } from "./bun.ts";

/** Functions of the C library that Node's API has no word for. */
export interface CLibrary {
  /** Takes or frees a lock of an open file. @returns -1 when it fails. @see https://man7.org/linux/man-pages/man2/flock.2.html */
  flock(descriptor: number, operation: number): number;
  /** @returns -1 when it fails. @see https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html */
  sched_setaffinity(threadId: number, mask: Uint8Array): number;
  /** The number of the last error. */
  errorNumber(): number;
}

/** The GNU C library, and musl's. */
const names = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

let opened: CLibrary | undefined;

/** @returns undefined where this runtime cannot call functions of the C library: programs do it then */
export function openCLibrary(): CLibrary | undefined {
  opened ??= open();
  return opened;
}

function open(): CLibrary | undefined {
  const ffi = bun?.FFI;
  if (ffi === undefined) return undefined;
  for (const name of names) {
    const library = ffi.dlopen(name, {
      flock: { args: ["i32", "i32"], returns: "i32" },
      sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
      __errno_location: { args: [], returns: "ptr" },
    });
    if (library instanceof Error) continue;
    const { flock, sched_setaffinity, __errno_location } = library.symbols;
    return {
      flock: (descriptor, operation) => flock(descriptor, operation),
      sched_setaffinity: (threadId, mask) => sched_setaffinity(threadId, mask.length, ffi.ptr(mask)),
      errorNumber: () => ffi.read.i32(__errno_location(), 0),
    };
  }
  return undefined;
}
