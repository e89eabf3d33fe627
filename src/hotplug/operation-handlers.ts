import type { LiveVm } from "./live.ts";
import type { OperationKind } from "./operation.ts";
import type { OperationJournal } from "./operation-journal.ts";

/** How one kind of operation is done. Each function starts from what QEMU's own lists say, not from the state. */
export interface OperationHandler {
  /**
   * Goes on from wherever QEMU is, noting each state that it reaches; `done` is the last. Throws StillPending when
   * the guest has not acted; any other error ends the operation as failed, unless it was ended here.
   */
  carryOn(live: LiveVm, journal: OperationJournal): Promise<void>;
  /**
   * Takes it back, as far as QEMU can, and notes `cancelled` or `undone`.
   * @throws QlaunchError LIVE_NOT_CANCELLABLE, and the operation stays as it is
   */
  cancel(live: LiveVm, journal: OperationJournal): Promise<void>;
  /**
   * Makes way for a new request of the same kind, when this one waits for a guest that does not act: ends it as
   * cancelled, and says what the guest may still do. Default: both stay pending.
   */
  giveWay?(live: LiveVm, journal: OperationJournal): Promise<void>;
}

/** Loaded when an operation of the kind is worked on. */
const handlers: Readonly<Partial<Record<OperationKind, () => Promise<OperationHandler>>>> = {
  setvcpus: async () => (await import("./vcpu-operation.ts")).vcpuHandler,
  "memory-add": async () => (await import("./device-addition.ts")).additionHandler,
  "memory-remove": async () => (await import("./device-removal.ts")).removalHandler,
  "memory-resize": async () => (await import("./memory-resize.ts")).resizeHandler,
  "device-add": async () => (await import("./device-addition.ts")).additionHandler,
  "device-remove": async () => (await import("./device-removal.ts")).removalHandler,
};

export async function handlerOf(kind: OperationKind): Promise<OperationHandler> {
  const load = handlers[kind];
  if (load === undefined) throw new Error(`no handler for ${kind}`);
  return load();
}
