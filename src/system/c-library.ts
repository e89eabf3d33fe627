import { bun, type ForeignFunctions } from "./bun.ts";

const descriptor = "i32";
const size = "u64";
/** A number, which may be -1. */
const count = "i64_fast";
const failure = "i32";
/** A number, which is 0 for none. */
const pointer = "i64_fast";

/** What most commands call. Each takes the runtime a few microseconds to find. */
const common = {
  __errno_location: { args: [], returns: "ptr" },
  close: { args: [descriptor], returns: failure },
  flock: { args: [descriptor, "i32"], returns: failure },
  ftruncate: { args: [descriptor, size], returns: failure },
  getdents64: { args: [descriptor, "ptr", size], returns: count },
  open: { args: ["ptr", "i32", "u32"], returns: descriptor },
  read: { args: [descriptor, "ptr", size], returns: count },
  rename: { args: ["ptr", "ptr"], returns: failure },
  statx: { args: [descriptor, "ptr", "i32", "u32", "ptr"], returns: failure },
  unlink: { args: ["ptr"], returns: failure },
  write: { args: [descriptor, "ptr", size], returns: count },
} as const;

const rare = {
  access: { args: ["ptr", "i32"], returns: failure },
  chmod: { args: ["ptr", "u32"], returns: failure },
  mkdir: { args: ["ptr", "u32"], returns: failure },
  pread: { args: [descriptor, "ptr", size, size], returns: count },
  pwrite: { args: [descriptor, "ptr", size, size], returns: count },
  readlink: { args: ["ptr", "ptr", size], returns: count },
  realpath: { args: ["ptr", "ptr"], returns: pointer },
  sched_setaffinity: { args: ["i32", size, "ptr"], returns: failure },
} as const;

type Functions<Name extends string> = Readonly<Record<Name, (...values: readonly number[]) => number>>;

/** Functions of the C library, under its own names. Paths and bytes are given by where they are. */
export interface CLibrary {
  readonly common: Functions<keyof typeof common>;
  readonly rare: Functions<keyof typeof rare>;
  /** Where its bytes are, as long as it is kept. It must not be empty. */
  pointerTo(bytes: Uint8Array): number;
  /** The number of the last error. */
  errorNumber(): number;
}

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
    const library = find(ffi, name, common);
    if (library === undefined) continue;
    const lastError = library.__errno_location();
    let others: CLibrary["rare"] | undefined;
    return {
      common: library,
      get rare() {
        others ??= find(ffi, name, rare);
        if (others === undefined) throw new Error(`${name} has not all functions that it should have`);
        return others;
      },
      pointerTo: (bytes) => ffi.ptr(bytes),
      errorNumber: () => ffi.read.i32(lastError, 0),
    };
  }
  return undefined;
}

function find<Name extends string>(
  ffi: ForeignFunctions,
  name: string,
  functions: Parameters<typeof ffi.dlopen<Name>>[1],
): Functions<Name> | undefined {
  try {
    const library = ffi.dlopen(name, functions);
    return library instanceof Error ? undefined : library.symbols;
  } catch {
    // The kernel gives no memory that may be written and run, which the runtime makes the calls of.
    return undefined;
  }
}
