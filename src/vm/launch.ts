import type { System } from "../system/index.ts";
import type { LaunchedVm, LaunchRequest } from "./types.ts";

/** Starts a VM that outlives this program. A failure undoes all that was done. @throws QlaunchError */
export async function launchVm(_system: System, _request: LaunchRequest): Promise<LaunchedVm> {
  throw new Error("not yet");
}
