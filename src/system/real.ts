import { affinity } from "./affinity.ts";
import { files } from "./files.ts";
import { locks } from "./locks.ts";
import { processes } from "./processes.ts";
import { sockets } from "./sockets.ts";
import type { System } from "./system.ts";

/** The machine that this program runs on. */
export const realSystem: System = {
  files,
  processes,
  sockets,
  locks,
  affinity,
  clock: {
    now: Date.now,
    elapsedMs: () => performance.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  },
  user: {
    get uid() {
      return process.getuid?.() ?? 0;
    },
    get gid() {
      return process.getgid?.() ?? 0;
    },
    get environment() {
      return process.env;
    },
    get workingDirectory() {
      return process.cwd();
    },
  },
};
