import type { System } from "../system/index.ts";
import type { VmDetail, VmSummary } from "./types.ts";

/** Every VM of this run root, by name. */
export async function listVms(_system: System): Promise<VmSummary[]> {
  throw new Error("not yet");
}

/** @throws QlaunchError VM_UNKNOWN */
export async function describeVm(_system: System, _name: string): Promise<VmDetail> {
  throw new Error("not yet");
}

/** What QEMU wrote to its standard output and error. @throws QlaunchError VM_UNKNOWN */
export function readVmLog(_system: System, _name: string): string {
  throw new Error("not yet");
}
