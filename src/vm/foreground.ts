import type { Exit, System } from "../system/index.ts";
import type { LaunchRequest } from "./types.ts";

export interface RunRequest extends LaunchRequest {
  /** Aborts when the VM shall power down: SIGTERM, SIGINT. */
  readonly stop: AbortSignal;
  /** How long the guest gets to power itself down. Default 60000. */
  readonly stopTimeoutMs?: number;
}

/** Starts a VM and stays until it ends. Resolves when the guest or `stop` ended it. */
export async function runVm(_system: System, _request: RunRequest): Promise<Exit> {
  throw new Error("not yet");
}
