import { refusal } from "../errors/index.ts";
import { type RemovalRequest, removalRequest } from "./device-removal.ts";
import type { LiveVm } from "./live.ts";
import { isEnded, type Operation } from "./operation.ts";
import { resumeOperation, runOperation, takeUpOperations } from "./operation-run.ts";
import { listOperations } from "./operation-store.ts";

/**
 * Goes on with what earlier commands left.
 * @returns the removal of this very thing, when that is how it ended
 */
export async function takeUpRemoval(
  live: LiveVm,
  kind: "memory-remove" | "device-remove",
  id: string,
): Promise<Operation | undefined> {
  const list = () => listOperations(live.system.files, live.directory);
  const open = list().filter((operation) => isRemoval(operation, kind, id) && !isEnded(operation));
  await takeUpOperations(live, kind);
  return list().find(
    (operation) => operation.state === "done" && open.some((left) => left.id === operation.id),
  );
}

const isRemoval = (operation: Operation, kind: string, id: string) =>
  operation.kind === kind && operation.request.id === id;

/** Begins a removal, or goes on with the one that asks the guest for the same thing already. */
export async function runRemoval(
  live: LiveVm,
  kind: "memory-remove" | "device-remove",
  subject: string,
  request: RemovalRequest,
): Promise<Operation> {
  await checkRuns(live, request.id);
  const pending = listOperations(live.system.files, live.directory).find(
    (operation) => isRemoval(operation, kind, request.id) && !isEnded(operation),
  );
  if (pending === undefined) return runOperation(live, removalRequest(kind, subject, request));
  live.emit({
    type: "notice",
    level: "info",
    message: `operation ${pending.id} asks the guest for ${request.id} already; going on with it`,
  });
  return resumeOperation(live, pending);
}

/** Only a guest that runs can give something up. */
async function checkRuns({ qmp, name }: LiveVm, id: string): Promise<void> {
  const { status } = await qmp.execute("query-status");
  if (status === "running") return;
  throw refusal("VM_STATE", {
    found: `the guest of ${name} does not run (${status})`,
    needed: `a running guest, which alone can give up ${id}`,
    fix: `qlaunch resume ${name}, wait until it has booted, then ask again`,
  });
}
