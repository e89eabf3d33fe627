import { type QlaunchError, refusal } from "../errors/index.ts";
import { QmpCommandError } from "../qmp/index.ts";
import { formatIdSet } from "../units/index.ts";
import { refusedEject } from "./guest-answer.ts";
import type { LiveVm } from "./live.ts";
import { type GuestEvents, waitForGuest } from "./operation-wait.ts";
import { type LiveVcpu, readVcpus } from "./vcpu-list.ts";

/**
 * Asks the guest to give up those of the vCPUs that QEMU still has. QEMU forgets a request that the guest has not
 * seen when the guest is reset, and a repeated one does no harm.
 * @param ids in the order of asking
 * @throws QlaunchError LIVE_GUEST_NOT_READY; QmpCommandError
 */
export async function requestRemoval(live: LiveVm, ids: readonly number[]): Promise<void> {
  const vcpus = await readVcpus(live);
  for (const id of ids) {
    const vcpu = vcpus.find(({ placed }) => placed.id === id);
    if (vcpu?.deviceId === undefined) continue;
    try {
      await live.qmp.execute("device_del", { id: vcpu.deviceId });
    } catch (error) {
      // Asked before, it left between the look and the question; the wait has QEMU's list confirm it.
      if (error instanceof QmpCommandError && error.class === "DeviceNotFound") continue;
      throw explain(live, error);
    }
  }
}

/**
 * Waits until QEMU's list has none of the vCPUs.
 * @param events opened before the request
 * @returns what QEMU has afterwards
 * @throws QlaunchError LIVE_GUEST_REFUSED once each is gone or refused; StillPending
 */
export async function awaitRemoval(
  live: LiveVm,
  ids: readonly number[],
  events: GuestEvents,
): Promise<LiveVcpu[]> {
  const refused = new Map<number, string>();
  let left: number[] = [...ids];
  const leaving = (vcpus: readonly LiveVcpu[]) =>
    vcpus.filter(({ placed, present }) => present && ids.includes(placed.id)).map(({ placed }) => placed.id);
  return waitForGuest(live, {
    step: "wait for the guest",
    awaited: () => `given up vCPU ${formatIdSet(left)}`,
    events,
    onEvent: (event) => {
      const refusal = refusedEject(event);
      const id = ids.find((vcpu) => refusal && isAbout(refusal, vcpu));
      if (refusal && id !== undefined) refused.set(id, refusal.reason);
    },
    look: async () => {
      const vcpus = await readVcpus(live);
      left = leaving(vcpus);
      if (left.length > 0 && left.every((id) => refused.has(id))) throw guestRefused(live, left, refused);
      return left.length === 0 ? vcpus : undefined;
    },
    summarize: () => `vCPU ${formatIdSet([...ids].sort((a, b) => a - b))} gone`,
  });
}

function isAbout({ device, slot }: NonNullable<ReturnType<typeof refusedEject>>, vcpu: number): boolean {
  if (device !== undefined) return device === `cpu${vcpu}`;
  return slot?.type === "CPU" && slot.number === String(vcpu);
}

function guestRefused({ name }: LiveVm, ids: number[], refused: ReadonlyMap<number, string>): QlaunchError {
  return refusal("LIVE_GUEST_REFUSED", {
    found: ids.map((id) => `the guest of ${name} does not give up vCPU ${id}: ${refused.get(id)}`).join("; "),
    needed: "a guest that takes the CPU offline",
    fix: `look in the guest what is bound to it (dmesg, taskset, isolcpus), then ask again`,
  });
}

/** @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/specs/acpi_cpu_hotplug.rst */
function explain({ name }: LiveVm, error: unknown): unknown {
  if (!(error instanceof QmpCommandError) || !/not supported device type/i.test(error.desc)) return error;
  return refusal(
    "LIVE_GUEST_NOT_READY",
    {
      found: `the guest of ${name} has not booted far enough to give up vCPUs`,
      needed: "a guest whose kernel has turned on ACPI CPU hot-plug",
      fix: "wait until it has booted, then ask again; firmware alone cannot do it, and a guest without ACPI never can",
      detail: error.desc,
    },
    { cause: error },
  );
}
