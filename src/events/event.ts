/**
 * Everything the program can say happened while it works. Work emits these; only src/report turns them into text,
 * and `--json` prints them as they are.
 */
export type Event =
  | StepStarted
  | StepEnded
  | StepFailed
  | StepUndone
  | Waiting
  | MemoryProgress
  | Notice
  | QmpEventSeen;

/** A named step of a longer piece of work began. */
export interface StepStarted {
  readonly type: "step-started";
  readonly step: string;
}

/** The step ended well; `summary` says what came of it. */
export interface StepEnded {
  readonly type: "step-ended";
  readonly step: string;
  readonly elapsedMs: number;
  readonly summary: string;
}

/** The step failed; what was done before it is undone next. */
export interface StepFailed {
  readonly type: "step-failed";
  readonly step: string;
  readonly elapsedMs: number;
}

/** One thing that an earlier step did was taken back. */
export interface StepUndone {
  readonly type: "step-undone";
  readonly step: string;
  /** Present when taking it back failed as well. */
  readonly problem?: string;
}

/** Still waiting, and for what: memory being prepared, a guest powering down. */
export interface Waiting {
  readonly type: "waiting";
  readonly step: string;
  readonly elapsedMs: number;
  readonly reason: string;
}

/** Memory of a guest that is being taken, about once a second. */
export interface MemoryProgress {
  readonly type: "memory-progress";
  readonly step: string;
  readonly elapsedMs: number;
  /** In place now, and when all is. */
  readonly bytes: number;
  readonly totalBytes: number;
  /** By host node, as the last look found it; a look at terabytes of ordinary pages takes seconds, so it may be older. */
  readonly nodes: readonly NodeProgress[];
  /** At the speed so far; absent as long as that says nothing. */
  readonly remainingMs?: number;
}

export interface NodeProgress {
  readonly node: number;
  readonly bytes: number;
  /** Absent where the memory may lie on several nodes. */
  readonly totalBytes?: number;
}

/** Something the user should know that stops nothing. */
export interface Notice {
  readonly type: "notice";
  readonly level: "info" | "warning";
  readonly message: string;
}

/** An event of QEMU's, passed on as it came. `timestampMs` counts from 1970. */
export interface QmpEventSeen {
  readonly type: "qmp-event";
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly timestampMs: number;
}

/** Takes events as they happen. */
export type EventSink = (event: Event) => void;
