import { bun } from "./bun.ts";

/** Functions of the C library, under its own names. Paths and bytes are given by where they are. */
export type CLibrary = Readonly<Record<keyof typeof functions, (...values: readonly number[]) => number>> & {
  /** Where its bytes are, as long as it is kept. It must not be empty. */
  pointerTo(bytes: Uint8Array): number;
  /** The number of the last error. */
  errorNumber(): number;
};

const descriptor = "i32";
const size = "u64";
/** A number, which may be -1. */
const count = "i64_fast";
const failure = "i32";
/** A number, which is 0 for none. */
const pointer = "i64_fast";

const functions = {
  __errno_location: { args: [], returns: "ptr" },
  access: { args: ["ptr", "i32"], returns: failure },
  chmod: { args: ["ptr", "u32"], returns: failure },
  close: { args: [descriptor], returns: failure },
  flock: { args: [descriptor, "i32"], returns: failure },
  ftruncate: { args: [descriptor, size], returns: failure },
  getdents64: { args: [descriptor, "ptr", size], returns: count },
  mkdir: { args: ["ptr", "u32"], returns: failure },
  open: { args: ["ptr", "i32", "u32"], returns: descriptor },
  pread: { args: [descriptor, "ptr", size, size], returns: count },
  pwrite: { args: [descriptor, "ptr", size, size], returns: count },
  read: { args: [descriptor, "ptr", size], returns: count },
  readlink: { args: ["ptr", "ptr", size], returns: count },
  realpath: { args: ["ptr", "ptr"], returns: pointer },
  rename: { args: ["ptr", "ptr"], returns: failure },
  sched_setaffinity: { args: ["i32", size, "ptr"], returns: failure },
  statx: { args: [descriptor, "ptr", "i32", "u32", "ptr"], returns: failure },
  unlink: { args: ["ptr"], returns: failure },
  write: { args: [descriptor, "ptr", size], returns: count },
} as const;

/** The GNU C library, and musl's. */
const names = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

let opened: CLibrary | undefined;

/** @returns undefined where this runtime cannot call functions of the C library: its modules and programs do it then */
export function openCLibrary(): CLibrary | undefined {
  opened ??= open();
  return opened;
}

function open(): CLibrary | undefined {
  const ffi = bun?.FFI;
  if (ffi === undefined) return undefined;
  for (const name of names) {
    const library = ffi.dlopen(name, functions);
    if (library instanceof Error) continue;
    const { symbols } = library;
    const lastError = symbols.__errno_location();
    return {
      ...symbols,
      pointerTo: (bytes) => ffi.ptr(bytes),
      errorNumber: () => ffi.read.i32(lastError, 0),
    };
  }
  return undefined;
}
