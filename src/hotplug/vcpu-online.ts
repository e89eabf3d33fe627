import { type Agent, askAgent, type GuestVcpu, wantsOnline } from "./agent.ts";
import type { LiveVm } from "./live.ts";
import type { OperationJournal } from "./operation-journal.ts";
import { type GuestEvents, waitForGuest } from "./operation-wait.ts";

/** How many vCPUs the guest itself runs; undefined when it has no agent that says so. */
export async function countOnline(live: LiveVm): Promise<number | undefined> {
  return askAgent(live, async (agent) => onlineOf(await agent.execute("guest-get-vcpus")).length);
}

/** The vCPUs that the guest knew before others came: those of them that are offline stay so. */
export async function knownVcpus(live: LiveVm): Promise<number[] | undefined> {
  if (!wantsOnline(live)) return undefined;
  return askAgent(live, async (agent) => idsOf(await agent.execute("guest-get-vcpus")));
}

/**
 * Has the agent bring online what has come since, once the guest has seen all of it.
 * @param known what the guest knew before; without it, all that are offline are brought online
 * @param count how many vCPUs QEMU has
 * @returns how many the guest runs; undefined when no agent answers
 * @throws StillPending when the guest does not see them in time
 */
export async function bringOnline(
  live: LiveVm,
  journal: OperationJournal,
  known: readonly number[] | undefined,
  count: number,
  events: GuestEvents,
): Promise<number | undefined> {
  const before = new Set(known ?? []);
  const ask = (agent: Agent) => agent.execute("guest-get-vcpus");
  let seen: readonly GuestVcpu[] = (await askAgent(live, ask)) ?? [];
  if (seen.length === 0) return undefined;
  return waitForGuest(live, {
    step: "bring them online",
    awaited: () => `found its new vCPUs: it knows ${seen.length} of ${count}`,
    events,
    look: async () => {
      const found = await askAgent(live, async (agent) => {
        seen = await ask(agent);
        const fresh = seen.filter((vcpu) => !vcpu.online && !before.has(vcpu["logical-id"]));
        if (seen.length < count) return undefined;
        for (const vcpu of fresh) {
          await agent.execute("guest-set-vcpus", {
            vcpus: [{ "logical-id": vcpu["logical-id"], online: true }],
          });
        }
        return onlineOf(await ask(agent)).length;
      });
      if (found !== undefined) journal.enter("online", `the guest runs ${found} of ${count}`);
      return found;
    },
    summarize: (online) => `the guest runs ${online} of ${count}`,
  });
}

const onlineOf = (vcpus: readonly GuestVcpu[]) => vcpus.filter(({ online }) => online);
const idsOf = (vcpus: readonly GuestVcpu[]) => vcpus.map((vcpu) => vcpu["logical-id"]);
