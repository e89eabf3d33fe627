import { QlaunchError } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { System } from "../system/index.ts";
import { endProcess, findByArguments, type ProcessIdentity } from "./process.ts";
import { giveBack } from "./vfio/binding.ts";

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
  | { readonly do: "remove"; readonly path: string }
  | {
      /** A function that was bound to vfio-pci goes back to what it had; see vfio/binding.ts. */
      readonly do: "give-back-device";
      readonly address: string;
      readonly driver: string | null;
      readonly override: string | null;
    };

export interface UndoEntry {
  /** What was done, for people: "start QEMU". */
  readonly step: string;
  readonly action: UndoAction;
}

/**
 * Takes everything back, the last first. A failure is reported and does not stop the others; only files stay then,
 * since the record among them says what is left, and devices stay with a process that could not be ended: taking
 * one away would wait for it. @returns the problems
 */
export async function unwind(
  system: System,
  entries: readonly UndoEntry[],
  emit: EventSink,
): Promise<string[]> {
  const problems: string[] = [];
  const began = system.clock.elapsedMs();
  let processLives = false;
  for (const { step, action } of [...entries].reverse()) {
    try {
      if (action.do === "remove" && problems.length > 0) throw new Error(`kept ${action.path}`);
      if (action.do === "give-back-device") {
        if (processLives) throw new Error(`kept ${action.address}`);
        // Said before: a driver that does not let go holds this program.
        const reason = `${action.address} to ${action.driver ?? "no driver"}`;
        const elapsedMs = system.clock.elapsedMs() - began;
        emit({ type: "waiting", step: "give devices back", elapsedMs, reason });
      }
      await takeBack(system, action);
      emit({ type: "step-undone", step });
    } catch (error) {
      processLives ||= action.do === "end-process";
      const problem = describe(error);
      problems.push(`${step}: ${problem}`);
      emit({ type: "step-undone", step, problem });
    }
  }
  return problems;
}

/** A refusal's fix is told with it: those who read it cannot ask. */
function describe(error: unknown): string {
  if (error instanceof QlaunchError) {
    return error.diagnostics.map(({ found, fix }) => `${found}; ${fix}`).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}

async function takeBack(system: System, action: UndoAction): Promise<void> {
  if (action.do === "remove") {
    system.files.remove(action.path);
    return;
  }
  if (action.do === "give-back-device") {
    giveBack(system.files, action.address, action);
    return;
  }
  const found = action.process ? [action.process] : findByArguments(system.files, action.marks);
  for (const identity of found) {
    if ((await endProcess(system, identity)) === undefined)
      throw new Error(`process ${identity.pid} does not end`);
  }
}
