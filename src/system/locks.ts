import { type CLibrary, openCLibrary } from "./c-library.ts";
import { errorNumbers } from "./error-numbers.ts";
import { calls, openFlags } from "./file-calls.ts";
import { files } from "./files.ts";
import type { Lock, Locks } from "./system.ts";
import { SystemError } from "./system.ts";
import { asSystemError, errorName, may, must } from "./system-error.ts";
import { toBytes } from "./text.ts";

/**
 * flock(2) on our open file description: the lock is ours until the descriptor is closed, by us or by the kernel when we
 * die. The file goes with the lock; a waiter who then holds a file that has no name any more starts over.
 * @see https://man7.org/linux/man-pages/man2/flock.2.html
 */
export const locks: Locks = {
  programs: () => (openCLibrary() === undefined ? ["flock"] : []),

  async take(path, owner, options = {}) {
    for (;;) {
      const { readWrite, create, append } = openFlags;
      const descriptor = must(calls.open(path, readWrite | create | append, 0o600), "open", path);
      try {
        if (!(await flock(descriptor, options.waitMs ?? 0))) {
          const heldBy = (files.tryReadText(path) ?? "").trim();
          calls.close(descriptor);
          return { heldBy };
        }
        if (isNamed(descriptor, path)) {
          must(calls.truncate(descriptor), "ftruncate", path);
          must(calls.write(descriptor, toBytes(owner)), "write", path);
          return heldLock(descriptor, path);
        }
        calls.close(descriptor);
      } catch (error) {
        calls.close(descriptor);
        throw asSystemError(error);
      }
    }
  },
};

function heldLock(descriptor: number, path: string): Lock {
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      unlinkIfThere(path);
      calls.close(descriptor);
    },
  };
}

function unlinkIfThere(path: string): void {
  const result = calls.unlink(path);
  if (result !== -errorNumbers.ENOENT) must(result, "unlink", path);
}

/** Whether the name still leads to this file. */
function isNamed(descriptor: number, path: string): boolean {
  const now = may(calls.status(path));
  return now !== undefined && now.inode === must(calls.status(descriptor), "fstat", path).inode;
}

/** @returns false when somebody else has it */
async function flock(descriptor: number, waitMs: number): Promise<boolean> {
  const library = openCLibrary();
  return library === undefined
    ? flockByProgram(descriptor, waitMs)
    : flockByFunction(library, descriptor, waitMs);
}

/** LOCK_EX | LOCK_NB. @see https://man7.org/linux/man-pages/man2/flock.2.html */
const exclusiveNow = 2 | 4;
/** Between two tries: a call that waits would keep this program from all else, signals among it. */
const shortestPauseMs = 1;
const longestPauseMs = 20;

async function flockByFunction(library: CLibrary, descriptor: number, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    if (library.common.flock(descriptor, exclusiveNow) === 0) return true;
    const error = library.errorNumber();
    if (error !== errorNumbers.EAGAIN && error !== errorNumbers.EINTR) {
      throw new SystemError(errorName(error), `flock failed with error ${error}`);
    }
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) return false;
    await sleep(Math.min(pauseMs, leftMs));
  }
}

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** By way of util-linux: the child locks our open file description and ends, and the lock stays. */
async function flockByProgram(descriptor: number, waitMs: number): Promise<boolean> {
  const { spawn } = await import("node:child_process");
  const wait = waitMs > 0 ? ["--timeout", String(waitMs / 1000)] : ["--nonblock"];
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["--exclusive", ...wait, "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor],
    });
    child.once("error", reject);
    child.once("exit", (exitCode) => {
      if (exitCode === 0) resolve(true);
      else if (exitCode === 1) resolve(false);
      else reject(new SystemError("ELOCK", `flock ended with status ${exitCode}`));
    });
  });
}
