import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import type { LiveVm } from "./live.ts";
import { isEnded, type Operation, type OperationRequest } from "./operation.ts";
import { handlerOf } from "./operation-handlers.ts";
import { OperationJournal } from "./operation-journal.ts";
import { listOperations } from "./operation-store.ts";
import { StillPending } from "./operation-wait.ts";

/**
 * Notes a new operation and carries it out. Everything that can be refused beforehand has been.
 * @returns the operation as it ended, or pending with `--no-wait`
 * @throws StillPending; QlaunchError when it failed: the operation's file says so too
 */
export async function runOperation(live: LiveVm, request: OperationRequest): Promise<Operation> {
  return carryOn(live, OperationJournal.create(live.system, live.directory, request));
}

/** Goes on with an operation that is not ended, from wherever QEMU is. @throws as runOperation */
export async function resumeOperation(live: LiveVm, operation: Operation): Promise<Operation> {
  return carryOn(live, OperationJournal.takeUp(live.system, live.directory, operation));
}

/** Takes an operation back, as far as QEMU can. @throws QlaunchError LIVE_NOT_CANCELLABLE */
export async function cancelOperation(live: LiveVm, operation: Operation): Promise<Operation> {
  const journal = OperationJournal.takeUp(live.system, live.directory, operation);
  try {
    await (await handlerOf(operation.kind)).cancel(live, journal);
  } catch (error) {
    journal.leave();
    throw error;
  }
  return journal.operation;
}

/**
 * Goes on with what earlier commands left on this VM, before a new request. One whose command was killed is carried
 * out; one that waits for the guest is looked at once; one that the new request replaces gives way to it.
 */
export async function takeUpOperations(live: LiveVm, next?: OperationRequest["kind"]): Promise<void> {
  const { system, directory, emit } = live;
  const left = listOperations(system.files, directory).filter((operation) => !isEnded(operation));
  for (const operation of left) {
    const { id, subject, state, kind } = operation;
    const handler = await handlerOf(kind);
    const killed = operation.worker !== null;
    const why = killed ? "its command was cut off" : "it waited for the guest";
    const tell = (level: "info" | "warning", what: string) =>
      emit({ type: "notice", level, message: `operation ${id} (${subject}) was ${state}: ${why}; ${what}` });
    if (kind === next && handler.giveWay !== undefined) {
      tell("info", "the new request takes its place");
      await handler.giveWay(live, OperationJournal.takeUp(system, directory, operation));
      continue;
    }
    if (killed) tell("info", "going on with it");
    try {
      const { state: now } = await resumeOperation(killed ? live : { ...live, noWait: true }, operation);
      if (now === "done") tell("info", "it is done");
    } catch (error) {
      if (!(error instanceof QlaunchError)) throw error;
      if (error instanceof StillPending && error.why === "interrupted") throw error;
      tell("warning", error.diagnostics.map(({ found }) => found).join("; "));
    }
  }
}

async function carryOn(live: LiveVm, journal: OperationJournal): Promise<Operation> {
  const { kind } = journal.operation;
  try {
    await (await handlerOf(kind)).carryOn(live, journal);
  } catch (thrown) {
    if (thrown instanceof StillPending) {
      journal.leave();
      if (thrown.why === "no-wait") return journal.operation;
      throw thrown;
    }
    const error = asRefusal(thrown, live.name);
    const problem = error instanceof QlaunchError ? error.diagnostics[0] : undefined;
    if (problem === undefined) journal.leave();
    else if (!isEnded(journal.operation)) journal.fail("failed", problem satisfies Diagnostic);
    throw error;
  }
  return journal.operation;
}
