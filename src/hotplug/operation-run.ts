import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import type { LiveVm } from "./live.ts";
import { isEnded, type Operation, type OperationRequest } from "./operation.ts";
import { handlerOf } from "./operation-handlers.ts";
import { OperationJournal } from "./operation-journal.ts";
import { listOperations, readOperation } from "./operation-store.ts";
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
 * out; one that waits for the guest is looked at once. One that still waits makes way for a request of its kind.
 */
export async function takeUpOperations(live: LiveVm, next?: OperationRequest["kind"]): Promise<void> {
  const { system, directory } = live;
  const left = listOperations(system.files, directory).filter((operation) => !isEnded(operation));
  for (const operation of left) {
    const now = await takeUp(live, operation);
    const handler = await handlerOf(operation.kind);
    if (!isEnded(now) && now.kind === next) {
      await handler.giveWay?.(live, OperationJournal.takeUp(system, directory, now));
    }
  }
}

/** @returns the operation as it is then */
async function takeUp(live: LiveVm, operation: Operation): Promise<Operation> {
  const { id, subject, state, worker } = operation;
  const killed = worker !== null;
  const why = killed ? "its command was cut off" : "it waited for the guest";
  const tell = (level: "info" | "warning", what: string) =>
    live.emit({
      type: "notice",
      level,
      message: `operation ${id} (${subject}) was ${state}: ${why}; ${what}`,
    });
  if (killed) tell("info", "going on with it");
  try {
    const now = await resumeOperation(killed ? live : { ...live, noWait: true }, operation);
    if (now.state === "done") tell("info", "it is done");
    return now;
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    if (error instanceof StillPending && error.why === "interrupted") throw error;
    tell("warning", error.diagnostics.map(({ found }) => found).join("; "));
    return readOperation(live.system.files, live.directory, id);
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
