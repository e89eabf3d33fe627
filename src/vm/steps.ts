import { QlaunchError, refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import { type System, SystemError } from "../system/index.ts";

export interface StepContext {
  readonly system: System;
  readonly emit: EventSink;
  readonly signal?: AbortSignal | undefined;
}

/** Runs named steps, telling when each begins and ends; no step begins after the signal. */
export function stepper({ system, emit, signal }: StepContext) {
  return async <T>(
    step: string,
    work: () => T | Promise<T>,
    summarize?: (value: T) => string,
  ): Promise<T> => {
    if (signal?.aborted) throw interrupted(step);
    const started = system.clock.elapsedMs();
    const elapsedMs = () => system.clock.elapsedMs() - started;
    emit({ type: "step-started", step });
    try {
      const value = await work();
      emit({ type: "step-ended", step, elapsedMs: elapsedMs(), summary: summarize?.(value) ?? "" });
      return value;
    } catch (error) {
      emit({ type: "step-failed", step, elapsedMs: elapsedMs() });
      throw explain(step, error);
    }
  };
}

export function interrupted(step: string): QlaunchError {
  return refusal("VM_START_FAILED", {
    found: `the start was interrupted at: ${step}`,
    needed: "a start that runs to its end",
    fix: "start it again; nothing of it is left",
  });
}

/** The kernel's words stay; the step says what was tried. */
function explain(step: string, error: unknown): unknown {
  if (error instanceof QlaunchError || !(error instanceof SystemError)) return error;
  const fix = fixes[error.code] ?? "see the kernel's words";
  return refusal(
    "VM_START_FAILED",
    {
      found: `${step}: the kernel refused (${error.code})`,
      needed: "the step to work",
      fix,
      detail: error.message,
    },
    { cause: error },
  );
}

const fixes: Readonly<Record<string, string>> = {
  ENOSPC: "free space in the run directory's file system",
  EACCES: "look at the owner and mode of the file that the kernel names",
  EPERM: "run it as a user who may do this",
  ENOENT: "look whether the file that the kernel names exists",
  EROFS: "set QLAUNCH_RUN_DIR to a folder in a writable file system",
  EMFILE: "raise the limit on open files: ulimit -n",
  ENOMEM: "free memory on the host",
  EAGAIN: "raise the limit on processes: ulimit -u",
};
