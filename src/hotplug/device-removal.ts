import { type QlaunchError, refusal } from "../errors/index.ts";
import { QmpCommandError } from "../qmp/index.ts";
import { readDevices } from "./device-list.ts";
import {
  describePart,
  isPresent,
  type Part,
  readPresence,
  removeBackEnd,
  removePart,
} from "./device-parts.ts";
import { refusedEject } from "./guest-answer.ts";
import { type LiveVm, step } from "./live.ts";
import { noteMemory } from "./memory-list.ts";
import type { Operation, OperationRequest } from "./operation.ts";
import type { OperationHandler } from "./operation-handlers.ts";
import { type GuestEvents, listenToGuest, waitForGuest } from "./operation-wait.ts";
import { giveBackUnused } from "./passed-devices.ts";

/** What a later command needs to go on with a removal. */
export interface RemovalRequest {
  readonly id: string;
  /** What only this device uses, in the order of taking away. */
  readonly backEnds: readonly Part[];
}

export function removalRequest(
  kind: "memory-remove" | "device-remove",
  subject: string,
  request: RemovalRequest,
): OperationRequest {
  return { kind, subject, request: { ...request } };
}

const requestOf = (operation: Operation) => operation.request as unknown as RemovalRequest;

/**
 * The guest is asked for the device, and when QEMU's list has lost it, its back ends go. States: requested; accepted,
 * QEMU asked the guest; acted, QEMU's list has lost it.
 */
export const removalHandler: OperationHandler = {
  async carryOn(live, journal) {
    const { id, backEnds } = requestOf(journal.operation);
    const events = listenToGuest(live);
    try {
      await awaitGone(live, id, events, () => {
        if (journal.operation.state === "requested") journal.enter("accepted", "the guest is asked for it");
      });
    } finally {
      events.close();
    }
    if (journal.operation.state !== "acted") journal.enter("acted", `${id} is gone from QEMU's list`);
    const presence = await readPresence(live.qmp, backEnds);
    for (const part of backEnds) {
      if (!isPresent(presence, part)) continue;
      await step(live, `remove ${describePart(part)}`, () => removeBackEnd(live, part));
    }
    if (journal.operation.kind === "memory-remove") await noteMemory(live);
    else await giveBackUnused(live);
    journal.enter("done", `${id} and what backed it are gone`);
  },

  /** QEMU cannot unask the guest: this gives up waiting. What the guest lets go of later is finished by asking again. */
  async cancel(live, journal) {
    const { id } = requestOf(journal.operation);
    const there = (await readDevices(live.qmp)).some((device) => device.id === id);
    if (!there) return this.carryOn(live, journal);
    journal.enter("cancelled", `${id} is still there; the guest may let go of it later`);
  },
};

/** How long until a slot is asked again that said it is busy. */
const busy = /guest is busy|power indicator/i;
const pending = /already in the process of unplug/i;

/**
 * Asks the guest for a device and waits until QEMU's list has lost it.
 * @param accepted called once QEMU took the request
 * @throws QlaunchError LIVE_GUEST_REFUSED, LIVE_GUEST_NOT_READY, LIVE_NOT_REMOVABLE; StillPending; QmpCommandError
 */
export async function awaitGone(
  live: LiveVm,
  id: string,
  events: GuestEvents,
  accepted: () => void = () => {},
): Promise<void> {
  let asked = false;
  let why = " (one that has not booted cannot)";
  await waitForGuest(live, {
    step: "wait for the guest",
    awaited: () => `given up ${id}${why}`,
    events,
    onEvent: (event) => {
      if (event.event === "ACPI_DEVICE_OST" && event.data.info.device === id) why = "";
      const answer = refusedEject(event);
      if (answer?.device === id) throw guestRefused(live, id, answer.reason);
    },
    look: async () => {
      if (!(await readDevices(live.qmp)).some((device) => device.id === id)) return true;
      if (!asked) {
        asked = await ask(live, id, (reason) => {
          why = reason;
        });
        if (asked) accepted();
      }
      return undefined;
    },
  });
}

/** @returns whether QEMU took it; false when the slot has to be asked again */
async function ask(live: LiveVm, id: string, tell: (why: string) => void): Promise<boolean> {
  try {
    await removePart(live.qmp, { verb: "device_add", id });
    return true;
  } catch (error) {
    if (!(error instanceof QmpCommandError)) throw error;
    if (busy.test(error.desc)) {
      tell(": its slot is busy (power indicator blinking)");
      return false;
    }
    if (pending.test(error.desc)) {
      live.emit({
        type: "notice",
        level: "info",
        message: `the guest of ${live.name} has been asked for ${id} before`,
      });
      return true;
    }
    if (error.class === "DeviceNotFound") return true;
    throw explain(live, id, error);
  }
}

function explain({ name }: LiveVm, id: string, error: QmpCommandError): unknown {
  if (/not supported device type/i.test(error.desc)) {
    return refusal(
      "LIVE_GUEST_NOT_READY",
      {
        found: `the guest of ${name} has not booted far enough to give up ${id}`,
        needed: "a guest whose kernel has turned on ACPI hot-plug",
        fix: "wait until it has booted, then ask again",
        detail: error.desc,
      },
      { cause: error },
    );
  }
  if (/hot-?unplug|not support|hotplugging/i.test(error.desc)) {
    return refusal(
      "LIVE_NOT_REMOVABLE",
      {
        found: `${id} of ${name} cannot be taken out while the guest runs`,
        needed: "a device that QEMU can unplug",
        fix: "change the profile, and start the VM again",
        detail: error.desc,
      },
      { cause: error },
    );
  }
  return error;
}

function guestRefused({ name }: LiveVm, id: string, reason: string): QlaunchError {
  return refusal("LIVE_GUEST_REFUSED", {
    found: `the guest of ${name} does not give up ${id}: ${reason}`,
    needed: "a guest that lets go of it; memory goes only when all of it can be moved elsewhere",
    fix: `look in the guest what holds it (dmesg); memory should be onlined as movable: memhp_default_state=online_movable. Then ask again`,
  });
}
