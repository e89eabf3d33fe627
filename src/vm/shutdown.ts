import type { System } from "../system/index.ts";
import type { StopOptions, StoppedVm } from "./types.ts";

/** Ends a VM and takes its run directory away. @throws QlaunchError */
export async function stopVm(_system: System, _name: string, _options: StopOptions = {}): Promise<StoppedVm> {
  throw new Error("not yet");
}
