import { type Agent, askAgent, type GuestVcpu } from "./agent.ts";
import { wantsOnline } from "./agent-plan.ts";
import { AgentRefusal } from "./agent-wire.ts";
import type { LiveVm } from "./live.ts";
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
  known: readonly number[] | undefined,
  count: number,
  events: GuestEvents,
): Promise<number | undefined> {
  const before = new Set(known ?? []);
  let seen = await countKnown(live);
  if (seen === undefined) return undefined;
  const { online } = await waitForGuest(live, {
    step: "bring them online",
    awaited: () => `found its new vCPUs: it knows ${seen} of ${count}`,
    events,
    look: async () => {
      const answer = await askAgent(live, (agent) => tryOnline(live, agent, before, count));
      seen = answer?.known ?? seen;
      // An agent that is gone is not waited for.
      return answer === undefined ? { online: undefined } : answer.known < count ? undefined : answer;
    },
    summarize: (found) =>
      found.online === undefined ? "no answer" : `the guest runs ${found.online} of ${count}`,
  });
  return online;
}

/** Does nothing until the guest knows them all: those it finds last would be forgotten. */
async function tryOnline(live: LiveVm, agent: Agent, before: ReadonlySet<number>, count: number) {
  const vcpus = await agent.execute("guest-get-vcpus");
  if (vcpus.length < count) return { known: vcpus.length, online: undefined };
  const fresh = vcpus.filter((vcpu) => !vcpu.online && !before.has(vcpu["logical-id"]));
  for (const { "logical-id": id } of fresh) {
    try {
      await agent.execute("guest-set-vcpus", { vcpus: [{ "logical-id": id, online: true }] });
    } catch (error) {
      if (!(error instanceof AgentRefusal)) throw error;
      const message = `the guest does not bring its CPU ${id} online: ${error.message}`;
      live.emit({ type: "notice", level: "warning", message });
    }
  }
  return { known: vcpus.length, online: onlineOf(await agent.execute("guest-get-vcpus")).length };
}

const countKnown = (live: LiveVm) =>
  askAgent(live, async (agent) => (await agent.execute("guest-get-vcpus")).length);
const onlineOf = (vcpus: readonly GuestVcpu[]) => vcpus.filter(({ online }) => online);
const idsOf = (vcpus: readonly GuestVcpu[]) => vcpus.map((vcpu) => vcpu["logical-id"]);
