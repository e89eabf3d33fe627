import { affinityMask } from "./affinity-mask.ts";
import { openCLibrary } from "./c-library.ts";
import type { AffinityFailure, ThreadAffinity } from "./system.ts";
import { errorName } from "./system-error.ts";

/** @returns undefined where this runtime cannot call functions of the C library */
export function pinByFunction(pins: readonly ThreadAffinity[]): AffinityFailure[] | undefined {
  const library = openCLibrary();
  if (library === undefined) return undefined;
  return pins.flatMap(({ threadId, cpus }) => {
    const mask = affinityMask(cpus);
    if (library.rare.sched_setaffinity(threadId, mask.length, library.pointerTo(mask)) === 0) return [];
    return [{ threadId, code: errorName(library.errorNumber()) }];
  });
}
