import { type Agent, askAgent } from "./agent.ts";
import { wantsOnline } from "./agent-plan.ts";
import type { LiveVm } from "./live.ts";
import type { OperationJournal } from "./operation-journal.ts";
import { listenToGuest, waitForGuest } from "./operation-wait.ts";

/** How much memory the guest itself runs, by its agent. */
export interface GuestMemory {
  readonly blockBytes: number;
  readonly onlineBytes: number;
  readonly offlineBytes: number;
}

/** Undefined when the guest has no agent that answers, or one that cannot tell. */
export async function readGuestMemory(live: LiveVm): Promise<GuestMemory | undefined> {
  return askAgent(live, async (agent) => {
    const { size } = await agent.execute("guest-get-memory-block-info");
    const blocks = await agent.execute("guest-get-memory-blocks");
    const online = blocks.filter((block) => block.online).length;
    return { blockBytes: size, onlineBytes: online * size, offlineBytes: (blocks.length - online) * size };
  });
}

/** The memory blocks that the guest knew before others came: those of them that are offline stay so. */
export async function knownBlocks(live: LiveVm): Promise<number[] | undefined> {
  if (!wantsOnline(live)) return undefined;
  return askAgent(live, async (agent) => (await readBlocks(agent)).map((block) => block["phys-index"]));
}

/**
 * Has the agent bring online the blocks that have come since, once the guest has seen all of them.
 * @param known what the guest knew before
 * @throws StillPending when the guest does not see them in time
 */
export async function bringMemoryOnline(
  live: LiveVm,
  journal: OperationJournal,
  known: readonly number[],
  sizeBytes: number,
): Promise<void> {
  if (!wantsOnline(live)) return;
  const before = new Set(known);
  const info = await askAgent(live, (agent) => agent.execute("guest-get-memory-block-info"));
  if (info === undefined) return;
  const expected = Math.floor(sizeBytes / info.size);
  let seen = 0;
  const events = listenToGuest(live);
  try {
    const online = await waitForGuest(live, {
      step: "bring it online",
      awaited: () => `found its new memory: it knows ${seen} of ${expected} blocks`,
      events,
      look: () =>
        askAgent(live, async (agent) => {
          const fresh = (await readBlocks(agent)).filter((block) => !before.has(block["phys-index"]));
          seen = fresh.length;
          if (seen < expected) return undefined;
          const offline = fresh.filter((block) => !block.online);
          if (offline.length > 0) {
            await agent.execute("guest-set-memory-blocks", {
              "mem-blks": offline.map((block) => ({ "phys-index": block["phys-index"], online: true })),
            });
          }
          const after = await readBlocks(agent);
          return after.filter((block) => !before.has(block["phys-index"]) && block.online).length;
        }),
      summarize: (count) => `the guest runs ${count} of ${expected} new blocks`,
    });
    journal.enter("online", `the guest runs ${online} of ${expected} new blocks`);
  } finally {
    events.close();
  }
}

const readBlocks = (agent: Agent) => agent.execute("guest-get-memory-blocks");
