import type { System } from "../system/index.ts";

/** Sends one QMP command and returns QEMU's answer. */
export async function executeQmp(
  _system: System,
  _name: string,
  _command: string,
  _args?: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  throw new Error("not yet");
}
