import type { System } from "../system/index.ts";

export interface VmRecord {
  readonly name: string;
}

/** The uuid that an earlier start made, as long as the run directory is there. */
export function keptUuid(_system: System, _name: string): string | undefined {
  return undefined;
}
