import { describePart, isPresent, type PartToAdd, readPresence, removeBackEnd } from "./device-parts.ts";
import { awaitGone } from "./device-removal.ts";
import type { LiveVm } from "./live.ts";
import { listenToGuest } from "./operation-wait.ts";
import { giveBackUnused } from "./passed-devices.ts";

/**
 * Takes away what is there of an addition, the last part first, and gives the host what nobody uses any more. A device
 * that the guest has seen goes when the guest lets go.
 */
export async function takeBack(live: LiveVm, parts: readonly PartToAdd[]): Promise<void> {
  const presence = await readPresence(live.qmp, parts);
  const events = listenToGuest(live);
  try {
    for (const part of [...parts].reverse()) {
      if (!isPresent(presence, part)) continue;
      if (part.verb === "device_add") await awaitGone(live, part.id, events);
      else await removeBackEnd(live, part);
      live.emit({ type: "step-undone", step: `add ${describePart(part)}` });
    }
  } finally {
    events.close();
  }
  await giveBackUnused(live);
}
