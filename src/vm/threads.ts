import type { System } from "../system/index.ts";
import type { VcpuThread } from "./types.ts";

/** @throws QlaunchError VM_UNKNOWN, VM_STALE */
export async function listVcpuThreads(_system: System, _name: string): Promise<VcpuThread[]> {
  throw new Error("not yet");
}
