import { spawn } from "node:child_process";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import type { Lock, Locks } from "./system.ts";
import { SystemError } from "./system.ts";
import { asSystemError, attempt, guard } from "./system-error.ts";

/**
 * flock(2) by way of util-linux: the child locks our open file description and ends, and the lock stays ours until
 * the descriptor is closed, by us or by the kernel when we die. The file goes with the lock; a waiter who then holds
 * a file that has no name any more starts over.
 * @see https://man7.org/linux/man-pages/man2/flock.2.html
 */
export const locks: Locks = {
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
      rmSync(path, { force: true });
      closeSync(descriptor);
    },
  };
}

/** Whether the name still leads to this file. */
function isNamed(descriptor: number, path: string): boolean {
  const now = attempt(() => statSync(path));
  return now !== undefined && now.ino === fstatSync(descriptor).ino;
}

/** @returns false when somebody else has it */
function flock(descriptor: number, waitMs: number): Promise<boolean> {
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
