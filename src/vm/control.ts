import type { System } from "../system/index.ts";

export async function pauseVm(_system: System, _name: string): Promise<void> {
  throw new Error("not yet");
}
export async function resumeVm(_system: System, _name: string): Promise<void> {
  throw new Error("not yet");
}
export async function resetVm(_system: System, _name: string): Promise<void> {
  throw new Error("not yet");
}
