import { QlaunchError, refusal } from "../errors/index.ts";
import type { PassedFunction } from "../plan/types.ts";
import { foreignAccount } from "../vm/accounts.ts";
import { withLedgerLock } from "../vm/ledger.ts";
import { takenDevices } from "../vm/reserve.ts";
import { runRoot } from "../vm/run-root.ts";
import { bindDevices } from "../vm/vfio/bind-devices.ts";
import { giveBack } from "../vm/vfio/binding.ts";
import { groupNode, readBinding, readGroup, vfioPci } from "../vm/vfio/pci-function.ts";
import { readDevices, readProperty } from "./device-list.ts";
import { type LiveVm, step } from "./live.ts";
import type { LiveMonitor } from "./recent-answers.ts";

const bindStep = "bind devices";

/**
 * Takes functions of the host for a VM that runs: noted in its record, so that no other VM gets them, and bound.
 * @throws QlaunchError HOST_DEVICE_BUSY, VM_BUSY and those of `bindDevices`
 */
export async function takeDevices(live: LiveVm, functions: readonly PassedFunction[]): Promise<void> {
  const { system, name, journal, emit, plan } = live;
  const addresses = functions.map(({ address }) => address);
  await step(
    live,
    bindStep,
    async () => {
      const root = runRoot(system);
      await withLedgerLock(system, root, `qlaunch device add ${name}`, () => {
        const taken = takenDevices(system, root, addresses, name);
        if (taken.length > 0) throw new QlaunchError(taken);
        journal.update({
          pciFunctions: [...new Set([...(journal.record.pciFunctions ?? []), ...addresses])],
        });
      });
      const account = await foreignAccount(system, plan.run.user);
      await bindDevices({ system, plan, journal, account, emit, step: bindStep }, functions);
    },
    () => `${addresses.join(", ")} on ${vfioPci}`,
  );
}

/** The host's function behind each passed-through device of QEMU's, by its id; undefined where QEMU does not tell. */
export async function readPassedDevices(qmp: LiveMonitor): Promise<Map<string, string | undefined>> {
  const devices = (await readDevices(qmp)).filter(({ type }) => type === vfioPci);
  const hosts = await Promise.all(devices.map(({ id }) => readProperty(qmp, id, "host")));
  return new Map(
    devices.map(({ id }, index) => {
      const host = hosts[index];
      return [id, typeof host === "string" && host !== "" ? host : undefined];
    }),
  );
}

/**
 * Gives functions back whose whole IOMMU group QEMU has let go of: the kernel gives a group to the host or to a guest,
 * never to both.
 * @throws QlaunchError HOST_DEVICE_BUSY, HOST_DEVICE_BIND, HOST_DEVICE_DEAD
 */
export async function giveBackUnused(live: LiveVm): Promise<void> {
  const { system, journal, qmp } = live;
  const { files } = system;
  const held = journal.record.pciFunctions ?? [];
  if (held.length === 0) return;
  const inUse = [...(await readPassedDevices(qmp)).values()];
  if (inUse.includes(undefined)) return;
  const groupOf = (address: string) => readGroup(files, address) ?? address;
  const groupsInUse = new Set(inUse.map((address = "") => groupOf(address)));
  const unused = held.filter((address) => !groupsInUse.has(groupOf(address)));
  tellOfKept(
    live,
    held.filter((address) => !unused.includes(address) && !inUse.includes(address)),
  );
  for (const address of unused) {
    await step(live, `give ${address} back`, () => giveBackOne(live, address), String);
  }
}

function tellOfKept({ emit, name }: LiveVm, kept: readonly string[]): void {
  if (kept.length === 0) return;
  const message = `${kept.join(", ")} stays on ${vfioPci}: ${name} has other devices of the IOMMU group`;
  emit({ type: "notice", level: "info", message });
}

/** @returns the driver that it has then */
async function giveBackOne(live: LiveVm, address: string): Promise<string> {
  const { system, journal } = live;
  const { files } = system;
  const noted = journal.record.undo.flatMap(({ action }) =>
    action.do === "give-back-device" && action.address === address ? action : [],
  );
  for (const was of noted) {
    if (was.driver !== vfioPci && readBinding(files, address)?.driver === vfioPci)
      await untilClosed(live, address);
    giveBack(files, address, was);
  }
  journal.forgetDevice(address);
  return readBinding(files, address)?.driver ?? "no driver";
}

/** How long QEMU may take to close a device that its list has lost. */
const closeMs = 10_000;

/** Taking a function from QEMU while it has it open would wait in the kernel. A group is open once at a time. */
async function untilClosed({ system, name }: LiveVm, address: string): Promise<void> {
  const { files, clock } = system;
  const group = readGroup(files, address);
  const node = group === undefined ? undefined : groupNode(group);
  if (node === undefined || !files.allows(node, "write")) return;
  const began = clock.elapsedMs();
  while (!files.opens(node)) {
    if (clock.elapsedMs() - began > closeMs) {
      throw refusal("HOST_DEVICE_BUSY", {
        found: `${address}, whose ${node} is open ${closeMs / 1000} s after QEMU let the device go`,
        needed: "a device that nobody uses, to give it back",
        fix: `look who has it: fuser -v ${node}; qlaunch down ${name} gives it back at the latest`,
      });
    }
    await clock.sleep(20);
  }
}
