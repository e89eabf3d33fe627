import { QmpCommandError } from "../qmp/index.ts";
import type { Arguments } from "./device-arguments.ts";
import { readBlockNodes, readDevices, readNetdevs, readObjects } from "./device-list.ts";
import type { LiveVm } from "./live.ts";
import type { LiveMonitor } from "./recent-answers.ts";

/** What a device is made of: its back ends first, then itself. */
export interface Part {
  readonly verb: "object-add" | "blockdev-add" | "netdev_add" | "device_add";
  /** Id, or name of the block node. */
  readonly id: string;
}

/** A part that can be made: `arguments` are the command's. */
export interface PartToAdd extends Part {
  readonly arguments: Arguments;
}

/** What QEMU has, by the verbs that make it. */
export type Presence = Readonly<Record<Part["verb"], ReadonlySet<string>>>;

const removers = {
  "object-add": { name: "object-del", key: "id" },
  "blockdev-add": { name: "blockdev-del", key: "node-name" },
  netdev_add: { name: "netdev_del", key: "id" },
  device_add: { name: "device_del", key: "id" },
} as const;

const words = {
  "object-add": "object",
  "blockdev-add": "block node",
  netdev_add: "network back end",
  device_add: "device",
} as const;

/** "block node data.file" */
export const describePart = ({ verb, id }: Part): string => `${words[verb]} ${id}`;

/** QEMU's own lists; only those that the parts need are asked for. */
export async function readPresence(qmp: LiveMonitor, parts: readonly Part[]): Promise<Presence> {
  const verbs = new Set(parts.map(({ verb }) => verb));
  const ids = async (verb: Part["verb"], read: () => Promise<ReadonlySet<string>>) =>
    verbs.has(verb) ? await read() : new Set<string>();
  const [objects, nodes, netdevs, devices] = await Promise.all([
    ids("object-add", async () => new Set((await readObjects(qmp)).map(({ id }) => id))),
    ids("blockdev-add", () => readBlockNodes(qmp)),
    ids("netdev_add", () => readNetdevs(qmp)),
    ids("device_add", async () => new Set((await readDevices(qmp)).map(({ id }) => id))),
  ]);
  return { "object-add": objects, "blockdev-add": nodes, netdev_add: netdevs, device_add: devices };
}

export const isPresent = (presence: Presence, { verb, id }: Part): boolean => presence[verb].has(id);

/** Memory that is taken beforehand takes its time, terabytes of it minutes. @throws QmpCommandError */
export async function addPart(qmp: LiveMonitor, part: PartToAdd): Promise<void> {
  await qmp.executeRaw(part.verb, part.arguments, part.verb === "object-add" ? { timeoutMs: 0 } : {});
}

/** A device only asks the guest; what it is backed by goes at once. @throws QmpCommandError */
export async function removePart(qmp: LiveMonitor, { verb, id }: Part): Promise<void> {
  const { name, key } = removers[verb];
  await qmp.executeRaw(name, { [key]: id });
}

/** How long QEMU may take to let go of a device that its list has lost. */
const letGoMs = 10_000;
const inUse = /in use|mapped/i;

/**
 * Takes a back end away. QEMU's list loses a device a moment before the device lets go of what backs it.
 * @throws QmpCommandError
 */
export async function removeBackEnd({ qmp, system: { clock } }: LiveVm, part: Part): Promise<void> {
  const began = clock.elapsedMs();
  for (let pauseMs = 10; ; pauseMs = Math.min(2 * pauseMs, 500)) {
    try {
      return await removePart(qmp, part);
    } catch (error) {
      const isHeld = error instanceof QmpCommandError && inUse.test(error.desc);
      if (!isHeld || clock.elapsedMs() - began > letGoMs) throw error;
    }
    await clock.sleep(pauseMs);
  }
}
