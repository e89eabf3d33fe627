import { formatIdSet, idIntersection } from "../units/index.ts";
import { wantsOnline } from "./agent-plan.ts";
import { type LiveVm, step } from "./live.ts";
import type { Operation, OperationRequest, OperationState } from "./operation.ts";
import type { OperationHandler } from "./operation-handlers.ts";
import type { OperationJournal } from "./operation-journal.ts";
import { type GuestEvents, listenToGuest } from "./operation-wait.ts";
import { addVcpus } from "./vcpu-add.ts";
import type { VcpuChoice } from "./vcpu-choice.ts";
import { type LiveVcpu, presentIds, readVcpus } from "./vcpu-list.ts";
import { bringOnline, knownVcpus } from "./vcpu-online.ts";
import { awaitRemoval, requestRemoval } from "./vcpu-remove.ts";

/** What a later command needs to go on. */
interface SetVcpusRequest {
  readonly add: readonly number[];
  readonly remove: readonly number[];
  /** The numbers that the guest itself had for its vCPUs before any came; absent when nobody is to bring them online. */
  readonly known?: readonly number[];
}

export function vcpuRequest(choice: VcpuChoice, from: number): OperationRequest {
  const { add, remove } = choice;
  const count = from + add.length - remove.length;
  const parts = [
    ...(add.length > 0 ? [`+${formatIdSet(add)}`] : []),
    ...(remove.length > 0 ? [`-${formatIdSet([...remove].reverse())}`] : []),
  ];
  return {
    kind: "setvcpus",
    subject: `${from} to ${count} vCPUs (${parts.join(", ")})`,
    request: { add, remove } satisfies SetVcpusRequest,
  };
}

/**
 * Additions first, so that a guest never has fewer than it shall. States: requested; accepted, QEMU took every
 * command; placed, new threads are where the plan has them, read back; acted, QEMU's list lost those that leave;
 * online, the agent brought new ones up. Additions skip acted, removals placed and online.
 */
export const vcpuHandler: OperationHandler = {
  async carryOn(live, journal) {
    const events = listenToGuest(live);
    try {
      noteCount(live, await carryOn(live, journal, events));
    } catch (error) {
      // What was done before stays done.
      if (live.qmp.state === "running") noteCount(live, await readVcpus(live));
      throw error;
    } finally {
      events.close();
    }
  },

  /** What has come stays, in its place. QEMU cannot withdraw what the guest was asked to give up. */
  async cancel(live, journal) {
    const { add, remove } = requestOf(journal.operation);
    const present = presentIds(await readVcpus(live));
    noteCount(live, await addVcpus(live, idIntersection(add, present)));
    const asked = remove.filter((id) => present.includes(id)).sort((a, b) => a - b);
    const still = asked.length > 0 ? `, and may still give up ${formatIdSet(asked)}` : "";
    journal.enter("cancelled", `the guest has vCPU ${formatIdSet(present)}${still}`);
  },

  async giveWay(live, journal) {
    await this.cancel(live, journal);
    const { id, subject, history } = journal.operation;
    const message = `operation ${id} (${subject}) makes way: ${history.at(-1)?.note}`;
    live.emit({ type: "notice", level: "warning", message });
  },
};

/** @returns what QEMU has afterwards */
async function carryOn(live: LiveVm, journal: OperationJournal, events: GuestEvents): Promise<LiveVcpu[]> {
  const { add, remove } = requestOf(journal.operation);
  let vcpus: LiveVcpu[] = [];
  if (add.length > 0) {
    await rememberKnown(live, journal);
    vcpus = await step(
      live,
      "add and pin the vCPUs",
      () => addVcpus(live, add),
      () => `vCPU ${formatIdSet(add)}, read back from /proc`,
    );
  }
  if (remove.length > 0) await requestRemoval(live, remove);
  reach(journal, "accepted");
  if (add.length > 0) reach(journal, "placed", `vCPU ${formatIdSet(add)}`);
  if (remove.length > 0) {
    vcpus = await awaitRemoval(live, remove, events);
    reach(journal, "acted", `vCPU ${formatIdSet([...remove].sort((a, b) => a - b))} gone`);
  }
  const present = presentIds(vcpus);
  if (add.length > 0 && wantsOnline(live)) {
    const { known } = requestOf(journal.operation);
    const online = await bringOnline(live, known, present.length, events);
    if (online !== undefined) reach(journal, "online", `the guest runs ${online} of ${present.length}`);
  }
  journal.enter("done", `the guest has vCPU ${formatIdSet(present)}`);
  return vcpus;
}

/** One that is taken up goes the whole way again; what it had reached is in its history already. */
function reach(journal: OperationJournal, state: OperationState, note = ""): void {
  if (!journal.operation.history.some((step) => step.state === state)) journal.enter(state, note);
}

async function rememberKnown(live: LiveVm, journal: OperationJournal): Promise<void> {
  if (requestOf(journal.operation).known !== undefined) return;
  const known = await knownVcpus(live);
  if (known !== undefined) journal.remember({ known });
}

/** What `ps` shows. */
function noteCount({ journal }: LiveVm, list: readonly LiveVcpu[]): void {
  const vcpus = presentIds(list).length;
  if (vcpus !== journal.record.vcpus) journal.update({ vcpus });
}

const requestOf = (operation: Operation) => operation.request as unknown as SetVcpusRequest;
