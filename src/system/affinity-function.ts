import { affinityMask } from "./affinity-mask.ts";
import { openCLibrary } from "./c-library.ts";
import { errorName } from "./error-name.ts";
import type { AffinityFailure, ThreadAffinity } from "./system.ts";

/** @returns undefined where this runtime cannot call functions of the C library */
export async function pinByFunction(pins: readonly ThreadAffinity[]): Promise<AffinityFailure[] | undefined> {
  const library = openCLibrary();
  if (library === undefined) return undefined;
  const failed = pins.flatMap(({ threadId, cpus }) => {
    const mask = affinityMask(cpus);
    if (library.sched_setaffinity(threadId, mask) === 0) return [];
    return [{ threadId, error: library.errorNumber() }];
  });
  return Promise.all(failed.map(async ({ threadId, error }) => ({ threadId, code: await errorName(error) })));
}
