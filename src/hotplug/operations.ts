import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { findVm } from "../vm/find.ts";
import { isAlive } from "../vm/process.ts";
import { type LiveOptions, withLiveVm } from "./live.ts";
import { isEnded, type Operation } from "./operation.ts";
import { cancelOperation, resumeOperation } from "./operation-run.ts";
import { listOperations, readOperation } from "./operation-store.ts";

/** An operation as a list shows it. */
export interface OperationSummary extends Operation {
  /**
   * working: a command is at it. left: it waits for the guest, or for a later command. cut-off: its command was
   * killed; the next one goes on with it.
   */
  readonly activity: "working" | "left" | "cut-off" | "ended";
}

/** In the order of asking. @throws QlaunchError VM_UNKNOWN, RUN_DIRECTORY */
export function listVmOperations(system: System, name: string): OperationSummary[] {
  const { directory } = findVm(system, name).places;
  return listOperations(system.files, directory).map((operation) => ({
    ...operation,
    activity: activityOf(system, operation),
  }));
}

function activityOf(system: System, operation: Operation): OperationSummary["activity"] {
  if (isEnded(operation)) return "ended";
  if (operation.worker === null) return "left";
  return isAlive(system.files, operation.worker) ? "working" : "cut-off";
}

/**
 * Goes on with one operation, or with all that are not ended.
 * @returns those it went on with, as they are now
 * @throws QlaunchError LIVE_OPERATION_UNKNOWN, LIVE_OPERATION_ENDED; otherwise what each of them ended with
 */
export async function resumeVmOperations(
  system: System,
  name: string,
  id: string | undefined,
  options: LiveOptions,
): Promise<Operation[]> {
  return withLiveVm(system, name, "qlaunch ops resume", options, async (live) => {
    const { directory } = live;
    const chosen =
      id === undefined
        ? listOperations(system.files, directory).filter((operation) => !isEnded(operation))
        : [requirePending(name, readOperation(system.files, directory, id))];
    const results: Operation[] = [];
    const problems: Diagnostic[] = [];
    for (const operation of chosen) {
      try {
        results.push(await resumeOperation(live, operation));
      } catch (error) {
        if (!(error instanceof QlaunchError)) throw error;
        problems.push(...error.diagnostics);
      }
    }
    if (problems.length > 0) throw new QlaunchError(problems);
    return results;
  });
}

/** @throws QlaunchError LIVE_OPERATION_UNKNOWN, LIVE_OPERATION_ENDED, LIVE_NOT_CANCELLABLE */
export async function cancelVmOperation(
  system: System,
  name: string,
  id: string,
  options: LiveOptions,
): Promise<Operation> {
  return withLiveVm(system, name, "qlaunch ops cancel", options, async (live) =>
    cancelOperation(live, requirePending(name, readOperation(system.files, live.directory, id))),
  );
}

function requirePending(name: string, operation: Operation): Operation {
  if (!isEnded(operation)) return operation;
  throw refusal("LIVE_OPERATION_ENDED", {
    found: `operation ${operation.id} (${operation.subject}) has ended: ${operation.state}`,
    needed: "an operation that is not ended",
    fix: `qlaunch ops ${name} lists them with their states`,
  });
}
