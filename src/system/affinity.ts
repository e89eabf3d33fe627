import { pinByFunction } from "./affinity-function.ts";
import { pinByPerl, pinByTaskset, systemCall } from "./affinity-programs.ts";
import { openCLibrary } from "./c-library.ts";
import { processes } from "./processes.ts";
import { runNow } from "./run-now.ts";
import type { Affinity } from "./system.ts";

const tools = ["xargs", "taskset"] as const;

/**
 * sched_setaffinity(2) for many threads at once. Bun can call it; Node cannot, so one perl calls it for all of them, or
 * where there is no perl, taskset runs for each.
 * @see https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html
 */
export const affinity: Affinity = {
  programs() {
    if (openCLibrary() !== undefined) return [];
    return hasPerl() ? ["perl"] : tools;
  },
  async set(pins) {
    if (pins.length === 0) return [];
    const failures = pinByFunction(pins);
    if (failures !== undefined) return failures;
    return (
      (hasPerl() ? await pinByPerl({ run: runNow }, pins) : undefined) ??
      (await pinByTaskset({ run: runNow }, pins))
    );
  },
};

function hasPerl(): boolean {
  return systemCall !== undefined && processes.find("perl") !== undefined;
}
