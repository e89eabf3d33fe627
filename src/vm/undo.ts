import type { EventSink } from "../events/event.ts";
import type { System } from "../system/index.ts";
import { endProcess, findByArguments, type ProcessIdentity } from "./process.ts";

/**
 * How to take one thing back, as data, so that another run of this program can do it after a crash. Every action may
 * be done again without harm.
 */
export type UndoAction =
  | {
      readonly do: "end-process";
      /** Null until its start returned: then it is looked for by `marks`, a run of its arguments. */
      readonly process: ProcessIdentity | null;
      readonly marks: readonly string[];
    }
  | { readonly do: "remove"; readonly path: string };

export interface UndoEntry {
  /** What was done, for people: "start QEMU". */
  readonly step: string;
  readonly action: UndoAction;
}

/**
 * Takes everything back, the last first. A failure is reported and does not stop the others; only files stay when a
 * process could not be ended, since the record among them says which one. @returns the problems
 */
export async function unwind(
  system: System,
  entries: readonly UndoEntry[],
  emit: EventSink,
): Promise<string[]> {
  const problems: string[] = [];
  for (const { step, action } of [...entries].reverse()) {
    try {
      if (action.do === "remove" && problems.length > 0) throw new Error(`kept ${action.path}`);
      await takeBack(system, action);
      emit({ type: "step-undone", step });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      problems.push(`${step}: ${problem}`);
      emit({ type: "step-undone", step, problem });
    }
  }
  return problems;
}

async function takeBack(system: System, action: UndoAction): Promise<void> {
  if (action.do === "remove") {
    system.files.remove(action.path);
    return;
  }
  const found = action.process ? [action.process] : findByArguments(system.files, action.marks);
  for (const identity of found) {
    if ((await endProcess(system, identity)) === undefined)
      throw new Error(`process ${identity.pid} does not end`);
  }
}
