import type { Readable, Writable } from "node:stream";
import type { System } from "../system/index.ts";

export interface ConsoleStreams {
  readonly input: Readable;
  readonly output: Writable;
  /** The console's id. Default: the first serial port, else the first virtio console. */
  readonly console?: string;
  /** The byte that ends the session; null for none. Default 0x1d, which is Ctrl-]. */
  readonly escape?: number | null;
  readonly signal?: AbortSignal;
}

/** @returns "escaped" when the user ended it, "closed" when the VM did, "input-ended" at the end of the input */
export async function attachConsole(
  _system: System,
  _name: string,
  _streams: ConsoleStreams,
): Promise<"escaped" | "closed" | "input-ended"> {
  throw new Error("not yet");
}
