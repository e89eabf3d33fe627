import type { Diagnostic } from "../errors/index.ts";
import type { ProcessIdentity } from "../vm/process.ts";

export const operationKinds = [
  "setvcpus",
  "memory-add",
  "memory-remove",
  "memory-resize",
  "device-add",
  "device-remove",
] as const;

export type OperationKind = (typeof operationKinds)[number];

/**
 * How far a change of a running VM has come, in the order of most kinds (a kind may skip some, and its handler says
 * which): requested, nothing is done yet; accepted, QEMU took the commands; acted, QEMU's own list has changed;
 * online, the guest runs it, as far as its agent can say; placed, pinned or bound and read back.
 */
export const pendingStates = ["requested", "accepted", "acted", "online", "placed"] as const;

/**
 * done: QEMU's own list confirms it. failed: it stopped where `problem` says. cancelled: taken back or given up when
 * the user asked. undone: it failed, and what it had done was taken back.
 */
export const endStates = ["done", "failed", "cancelled", "undone"] as const;

export type PendingState = (typeof pendingStates)[number];
export type EndState = (typeof endStates)[number];
export type OperationState = PendingState | EndState;

/** One line of an operation's history. `note` says what was seen, for people; it may be empty. */
export interface OperationStep {
  readonly state: OperationState;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly note: string;
}

/** A change of a running VM: `operations/<id>.json` in its run directory. Format 1; a reader refuses any other. */
export interface Operation {
  readonly format: 1;
  /** "1", "2", ... in the order of asking. */
  readonly id: string;
  readonly kind: OperationKind;
  /** What changes, for people: "4 to 16 vCPUs". */
  readonly subject: string;
  /** All that a later command needs to go on; its shape is its kind's. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly state: OperationState;
  readonly history: readonly OperationStep[];
  /** The command that works on it; null when it was left to a later one. */
  readonly worker: ProcessIdentity | null;
  /** Why it failed or was undone. */
  readonly problem: Diagnostic | null;
}

/** What a new operation is made of. */
export interface OperationRequest {
  readonly kind: OperationKind;
  readonly subject: string;
  readonly request: Readonly<Record<string, unknown>>;
}

export function isEnded({ state }: Operation): boolean {
  return (endStates as readonly string[]).includes(state);
}

/** Another state, or the same with something new to say. */
export function advance(
  operation: Operation,
  state: OperationState,
  atMs: number,
  note: string,
  problem: Diagnostic | null = operation.problem,
): Operation {
  const history = [...operation.history, { state, atMs, note }];
  const ended = (endStates as readonly string[]).includes(state);
  return { ...operation, state, history, problem, worker: ended ? null : operation.worker };
}
