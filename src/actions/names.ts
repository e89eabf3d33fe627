import { QlaunchError } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { listNames, runRoot } from "../vm/index.ts";

/** Names of the VMs that have a run directory; none when there is no place for them. */
export function vmNames(system: System): string[] {
  try {
    return listNames(system.files, runRoot(system));
  } catch (error) {
    if (error instanceof QlaunchError) return [];
    throw error;
  }
}
