import { formatIdSet, idIntersection } from "../units/index.ts";
import { wantsOnline } from "./agent.ts";
import { type LiveVm, step } from "./live.ts";
import type { Operation, OperationRequest } from "./operation.ts";
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
      await carryOn(live, journal, events);
    } finally {
      events.close();
      await noteCount(live);
    }
  },

  async cancel(live, journal) {
    await this.giveWay?.(live, journal);
  },

  /** What has come stays, in its place; what the guest was asked to give up it may still give up. */
  async giveWay(live, journal) {
    const vcpus = await settle(live, requestOf(journal.operation));
    await noteCount(live);
    journal.enter("cancelled", `the guest has vCPU ${formatIdSet(presentIds(vcpus))}`);
  },
};

async function carryOn(live: LiveVm, journal: OperationJournal, events: GuestEvents): Promise<void> {
  const { add, remove } = requestOf(journal.operation);
  if (add.length > 0) {
    await rememberKnown(live, journal);
    await step(
      live,
      "add and pin the vCPUs",
      () => addVcpus(live, add),
      () => `vCPU ${formatIdSet(add)}, read back from /proc`,
    );
  }
  if (remove.length > 0) await requestRemoval(live, remove);
  if (journal.operation.state === "requested") journal.enter("accepted");
  if (add.length > 0) journal.enter("placed", `vCPU ${formatIdSet(add)}`);
  if (remove.length > 0) {
    await awaitRemoval(live, remove, events);
    journal.enter("acted", `vCPU ${formatIdSet([...remove].sort((a, b) => a - b))} gone`);
  }
  const present = presentIds(await readVcpus(live));
  if (add.length > 0 && wantsOnline(live)) {
    const { known } = requestOf(journal.operation);
    const online = await bringOnline(live, known, present.length, events);
    if (online !== undefined) journal.enter("online", `the guest runs ${online} of ${present.length}`);
  }
  journal.enter("done", `the guest has vCPU ${formatIdSet(present)}`);
}

async function rememberKnown(live: LiveVm, journal: OperationJournal): Promise<void> {
  if (requestOf(journal.operation).known !== undefined) return;
  const known = await knownVcpus(live);
  if (known !== undefined) journal.remember({ known });
}

/** Puts the threads of those that have come where they belong. */
async function settle(live: LiveVm, { add }: SetVcpusRequest): Promise<LiveVcpu[]> {
  return addVcpus(live, idIntersection(add, presentIds(await readVcpus(live))));
}

/** What `ps` shows. */
async function noteCount(live: LiveVm): Promise<void> {
  if (live.qmp.state !== "running") return;
  const vcpus = presentIds(await readVcpus(live)).length;
  if (vcpus !== live.journal.record.vcpus) live.journal.update({ vcpus });
}

const requestOf = (operation: Operation) => operation.request as unknown as SetVcpusRequest;
