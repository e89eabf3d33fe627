import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { PassedFunction } from "../plan/types.ts";
import { QmpCommandError } from "../qmp/index.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import { wantsOnline } from "./agent-plan.ts";
import { addPart, describePart, isPresent, type PartToAdd, readPresence } from "./device-parts.ts";
import { type LiveVm, step } from "./live.ts";
import { type BoundMemory, checkBound } from "./memory-bound.ts";
import { noteMemory, readPluggedMemory } from "./memory-list.ts";
import type { Operation, OperationRequest } from "./operation.ts";
import type { OperationHandler } from "./operation-handlers.ts";
import type { OperationJournal } from "./operation-journal.ts";
import { askAhead } from "./recent-answers.ts";

/** What a later command needs to go on with an addition. */
export interface AdditionRequest {
  /** Of the device itself. */
  readonly id: string;
  /** In the order of making. None of them was there before. */
  readonly parts: readonly PartToAdd[];
  /** Memory whose backend is bound to host nodes; it is read back before the guest gets it. */
  readonly bound?: BoundMemory;
  /** What the guest gets of memory at once; absent for what it takes by itself. */
  readonly memoryBytes?: number;
  /** Memory blocks that the guest knew before; what is offline among them stays so. */
  readonly known?: readonly number[];
  /** Functions of the host that are bound before. */
  readonly passthrough?: readonly PassedFunction[];
  /** Why it is being taken back. */
  readonly undoing?: Diagnostic;
}

export function additionRequest(
  kind: "memory-add" | "device-add",
  subject: string,
  request: AdditionRequest,
): OperationRequest {
  return { kind, subject, request: { ...request } };
}

const requestOf = (operation: Operation) => operation.request as unknown as AdditionRequest;

/**
 * Back ends and device together, or nothing of it. States: requested; placed, for memory whose backend was read back
 * from /proc; accepted, QEMU lists the device; online, where the agent brought memory up.
 */
export const additionHandler: OperationHandler = {
  async carryOn(live, journal) {
    const { undoing } = requestOf(journal.operation);
    if (undoing !== undefined) return undo(live, journal, undoing);
    try {
      await addAll(live, journal);
    } catch (error) {
      if (!(error instanceof QmpCommandError || error instanceof QlaunchError)) throw error;
      const told = asRefusal(error, live.name);
      const problem = told instanceof QlaunchError ? told.diagnostics[0] : undefined;
      if (problem === undefined) throw error;
      journal.remember({ undoing: problem });
      await undo(live, journal, problem);
      throw told;
    }
    const { known, memoryBytes } = requestOf(journal.operation);
    const isGuestsTurn = memoryBytes !== undefined && known !== undefined;
    if (journal.operation.state === "requested" || journal.operation.state === "placed") {
      if (isGuestsTurn) journal.enter("accepted");
      else journal.pass("accepted");
    }
    if (isMemory(journal.operation)) await noteMemory(live);
    if (isGuestsTurn) {
      const { bringMemoryOnline } = await import("./memory-online.ts");
      await bringMemoryOnline(live, journal, known, memoryBytes);
    }
    journal.enter("done", `QEMU lists ${requestOf(journal.operation).id}`);
  },

  async cancel(live, journal) {
    const { id, parts } = requestOf(journal.operation);
    const presence = await readPresence(live.qmp, parts);
    if (isPresent(presence, { verb: "device_add", id })) {
      throw refusal("LIVE_NOT_CANCELLABLE", {
        found: `${id} is in ${live.name} already`,
        needed: "a device that QEMU has not got yet",
        fix: `take it out: qlaunch ${isMemory(journal.operation) ? "memory" : "device"} remove ${live.name} ${id}`,
      });
    }
    const { takeBack } = await import("./device-take-back.ts");
    await takeBack(live, parts);
    journal.enter("cancelled", "nothing of it is left");
  },
};

const isMemory = ({ kind }: Operation) => kind === "memory-add";

async function addAll(live: LiveVm, journal: OperationJournal): Promise<void> {
  const { id, parts, bound, memoryBytes, known, passthrough = [] } = requestOf(journal.operation);
  const presence = await readPresence(live.qmp, parts);
  if (passthrough.length > 0 && !parts.every((part) => isPresent(presence, part))) {
    const { takeDevices } = await import("./passed-devices.ts");
    await takeDevices(live, passthrough);
  }
  const isNewMemory = memoryBytes !== undefined && !isPresent(presence, { verb: "device_add", id });
  if (isNewMemory && known === undefined && wantsOnline(live)) {
    const { knownBlocks } = await import("./memory-online.ts");
    const blocks = await knownBlocks(live);
    if (blocks !== undefined) journal.remember({ known: blocks });
  }
  for (const part of parts) {
    if (part.verb === "device_add" && bound !== undefined && journal.operation.state === "requested") {
      const summary = await step(
        live,
        "read back where the memory is",
        async () => checkBound(live, bound),
        (text) => text,
      );
      journal.pass("placed", summary);
    }
    if (isPresent(presence, part)) continue;
    await step(live, `add ${describePart(part)}`, async () => {
      const stopReports = isTakenAtOnce(part) ? await watchTaking(live, part, bound) : () => {};
      const added = addPart(live.qmp, part);
      // Sent behind it: QEMU answers in order, and what it answers then is what has come of it.
      if (part === parts.at(-1)) await askAhead([isListed(live, journal.operation, part)]);
      await added.finally(stopReports);
    });
  }
  // The device, which comes last, holds what backs it.
  const device = parts.at(-1);
  if (device === undefined || (await isListed(live, journal.operation, device))) return;
  throw refusal("QMP_ERROR", {
    found: `QEMU took ${describePart(device)} and does not list it`,
    needed: "the device in QEMU's own list",
    fix: `look at what QEMU says: qlaunch logs ${live.name}`,
  });
}

/** Whether QEMU takes its memory before it answers. */
export function isTakenAtOnce(part: PartToAdd): boolean {
  return part.verb === "object-add" && part.arguments.prealloc === true;
}

/** Memory that is taken beforehand takes minutes for terabytes: how much is in place is told meanwhile. @returns what ends it */
async function watchTaking(
  live: LiveVm,
  part: PartToAdd,
  bound: BoundMemory | undefined,
): Promise<() => void> {
  const { size, "prealloc-threads": threads } = part.arguments;
  if (typeof size !== "number") return () => {};
  const { system, pid, mapped, emit } = live;
  const one = {
    memdev: part.id,
    bytes: size,
    hostNodes: bound?.hostNodes,
    threads: typeof threads === "number" ? threads : 1,
  };
  const { watchMemory } = await import("../vm/memory-progress.ts");
  return watchMemory({ system, pid, mapped, emit, taken: [one], step: `add ${describePart(part)}` });
}

/** Of memory QEMU's list tells more than that it is there, and is needed anyway. */
async function isListed({ qmp }: LiveVm, operation: Operation, device: PartToAdd): Promise<boolean> {
  if (!isMemory(operation)) return isPresent(await readPresence(qmp, [device]), device);
  return (await readPluggedMemory(qmp)).some(({ id }) => id === device.id);
}

async function undo(live: LiveVm, journal: OperationJournal, problem: Diagnostic): Promise<void> {
  const { takeBack } = await import("./device-take-back.ts");
  await takeBack(live, requestOf(journal.operation).parts);
  if (isMemory(journal.operation)) await noteMemory(live);
  journal.fail("undone", problem);
}
