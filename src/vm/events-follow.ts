import type { EventSink } from "../events/event.ts";
import type { System } from "../system/index.ts";

export interface FollowOptions {
  readonly emit: EventSink;
  readonly signal?: AbortSignal;
}

/** Emits QEMU's events until the VM ends or the signal aborts. */
export async function followEvents(_system: System, _name: string, _options: FollowOptions): Promise<void> {
  throw new Error("not yet");
}
