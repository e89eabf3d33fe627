import { type QlaunchError, refusal } from "../errors/index.ts";
import { closest } from "../units/index.ts";
import { plannedAgent, wantsOnline } from "./agent-plan.ts";
import type { LiveVm } from "./live.ts";
import type { BoundMemory } from "./memory-bound.ts";
import {
  type LiveMemoryDevice,
  type PluggedMemory,
  readMemoryDevices,
  readPluggedMemory,
} from "./memory-list.ts";
import type { GuestMemory } from "./memory-online.ts";
import type { Operation } from "./operation.ts";

export interface MemoryOutcome {
  readonly name: string;
  readonly id: string;
  /** As QEMU has it now; undefined when it is gone. */
  readonly device: LiveMemoryDevice | undefined;
  /** What the guest says that it runs; undefined without an agent. */
  readonly guest: GuestMemory | undefined;
  /** Whether new memory is brought online by the agent. */
  readonly broughtOnline: boolean;
  readonly operation: Operation;
}

/** @param bound where its memory was seen to be; QEMU is asked for what nobody looked at */
export async function memoryOutcome(
  live: LiveVm,
  id: string,
  operation: Operation,
  bound?: BoundMemory,
): Promise<MemoryOutcome> {
  const { qmp } = live;
  const seen = bound === undefined ? undefined : (await readPluggedMemory(qmp)).find(isIt(id));
  return {
    name: live.name,
    id,
    device:
      seen === undefined || bound === undefined
        ? (await readMemoryDevices(qmp)).find(isIt(id))
        : { ...seen, policy: bound.policy, hostNodes: bound.hostNodes },
    guest: await guestMemory(live),
    broughtOnline: wantsOnline(live),
    operation,
  };
}

async function guestMemory(live: LiveVm): Promise<GuestMemory | undefined> {
  return plannedAgent(live) === undefined
    ? undefined
    : (await import("./memory-online.ts")).readGuestMemory(live);
}

const isIt = (id: string) => (device: PluggedMemory) => device.id === id;

export function unknownMemory(
  { name }: LiveVm,
  id: string,
  devices: readonly LiveMemoryDevice[],
): QlaunchError {
  const ids = devices.flatMap((device) => device.id ?? []);
  const meant = closest(id, ids);
  return refusal("LIVE_ID_UNKNOWN", {
    found: `${name} has no memory device "${id}"`,
    needed: ids.length === 0 ? "a memory device: it has none" : `one of ${ids.join(", ")}`,
    fix: meant === undefined ? `qlaunch memory list ${name}` : `did you mean "${meant}"?`,
  });
}
