import { getSystemErrorName } from "node:util";
import { affinityMask } from "./affinity-mask.ts";
import type { AffinityFailure, ThreadAffinity } from "./system.ts";

/** The part of `bun:ffi` that is used. @see https://bun.com/docs/runtime/ffi */
interface ForeignFunctions {
  dlopen(
    library: string,
    functions: Readonly<Record<string, { args: readonly string[]; returns: string }>>,
  ): { readonly symbols: CLibrary };
  readonly read: { i32(pointer: number, offset: number): number };
}

interface CLibrary {
  sched_setaffinity(threadId: number, bytes: number, mask: Uint8Array): number;
  __errno_location(): number;
}

/** The GNU C library, and musl's. */
const libraries = ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`];

/** @returns undefined where this runtime cannot call functions of the C library */
export async function pinByFunction(pins: readonly ThreadAffinity[]): Promise<AffinityFailure[] | undefined> {
  const opened = await openLibrary();
  if (opened === undefined) return undefined;
  const { library, read } = opened;
  return pins.flatMap(({ threadId, cpus }) => {
    const mask = affinityMask(cpus);
    if (library.sched_setaffinity(threadId, mask.length, mask) === 0) return [];
    return [{ threadId, code: getSystemErrorName(-read.i32(library.__errno_location(), 0)) }];
  });
}

async function openLibrary() {
  if (process.versions.bun === undefined) return undefined;
  // Not a literal: bundlers for Node would look for it.
  const specifier = "bun:ffi";
  const { dlopen, read } = (await import(specifier)) as ForeignFunctions;
  for (const name of libraries) {
    try {
      const { symbols } = dlopen(name, {
        sched_setaffinity: { args: ["i32", "u64", "ptr"], returns: "i32" },
        __errno_location: { args: [], returns: "ptr" },
      });
      return { library: symbols, read };
    } catch {
      // The next one; without any, programs do it.
    }
  }
  return undefined;
}
