import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { bun } from "./bun.ts";
import { type CLibrary, openCLibrary } from "./c-library.ts";
import { errorName } from "./error-name.ts";
import type { Lock, Locks } from "./system.ts";
import { SystemError } from "./system.ts";
import { asSystemError, attempt, guard } from "./system-error.ts";

/**
 * flock(2) on our open file description: the lock is ours until the descriptor is closed, by us or by the kernel when we
 * die. The file goes with the lock; a waiter who then holds a file that has no name any more starts over.
 * @see https://man7.org/linux/man-pages/man2/flock.2.html
 */
export const locks: Locks = {
  programs: () => (bun === undefined ? ["flock"] : []),

  async take(path, owner, options = {}) {
    for (;;) {
      const descriptor = guard(() => openSync(path, "a+", 0o600));
      try {
        if (!(await flock(descriptor, options.waitMs ?? 0))) {
          const heldBy = (attempt(() => readFileSync(path, "utf8")) ?? "").trim();
          closeSync(descriptor);
          return { heldBy };
        }
        if (isNamed(descriptor, path)) {
          ftruncateSync(descriptor);
          writeSync(descriptor, owner);
          return heldLock(descriptor, path);
        }
        closeSync(descriptor);
      } catch (error) {
        closeSync(descriptor);
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
      closeSync(descriptor);
    },
  };
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    const failure = asSystemError(error);
    if (!(failure instanceof SystemError && failure.code === "ENOENT")) throw failure;
  }
}

/** Whether the name still leads to this file. */
function isNamed(descriptor: number, path: string): boolean {
  const now = attempt(() => statSync(path));
  return now !== undefined && now.ino === fstatSync(descriptor).ino;
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
/** EINTR and EWOULDBLOCK. */
const interrupted = 4;
const wouldBlock = 11;
/** Between two tries: a call that waits would keep this program from all else, signals among it. */
const shortestPauseMs = 1;
const longestPauseMs = 20;

async function flockByFunction(library: CLibrary, descriptor: number, waitMs: number): Promise<boolean> {
  const deadline = performance.now() + waitMs;
  for (let pauseMs = shortestPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    if (library.flock(descriptor, exclusiveNow) === 0) return true;
    const error = library.errorNumber();
    if (error !== wouldBlock && error !== interrupted) {
      throw new SystemError(await errorName(error), `flock failed with error ${error}`);
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
