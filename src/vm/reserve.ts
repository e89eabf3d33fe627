import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import { formatIdSet, type IdSet, idIntersection, idUnion } from "../units/index.ts";
import type { Account } from "./accounts.ts";
import { Journal } from "./journal.ts";
import { holdings, withLedgerLock } from "./ledger.ts";
import { identify } from "./process.ts";
import { readBootId, type VmRecord } from "./record.ts";
import type { Places } from "./run-root.ts";

/** Another start was faster. A new plan goes around it, or says why none can. */
export class TakenError extends QlaunchError {}

interface Reservation {
  readonly root: string;
  readonly places: Places;
  readonly plan: Plan;
  readonly version: string;
  readonly account: Account | undefined;
}

/**
 * Makes the run directory with a record that holds the host CPUs and devices of this VM. Two starts at once see each
 * other's.
 * @throws TakenError HOST_CPUS_SHORT, HOST_DEVICE_BUSY
 * @throws QlaunchError VM_BUSY
 */
export async function reserve(system: System, reservation: Reservation): Promise<Journal> {
  const { root } = reservation;
  const record = newRecord(system, reservation);
  const { exclusiveCpus, pciFunctions = [] } = record;
  if (exclusiveCpus.length + pciFunctions.length === 0) return makeDirectory(system, reservation, record);
  return withLedgerLock(system, root, `a start of ${record.name}`, () => {
    const taken = [...takenCpus(system, root, exclusiveCpus), ...takenDevices(system, root, pciFunctions)];
    if (taken.length > 0) throw new TakenError(taken);
    return makeDirectory(system, reservation, record);
  });
}

function takenCpus(system: System, root: string, wanted: IdSet): readonly Diagnostic[] {
  const taken = holdings(system, root).flatMap(({ vm, exclusiveCpus }) => {
    const shared = idIntersection(exclusiveCpus, wanted);
    return shared.length === 0 ? [] : [`host CPUs ${formatIdSet(shared)} belong to ${vm}`];
  });
  if (taken.length === 0) return [];
  return refusal("HOST_CPUS_SHORT", {
    found: taken.join(", "),
    needed: "host CPUs that no other VM's vCPUs have to themselves",
    fix: "start it again: pinning auto takes other CPUs; or change pinning.vcpus",
  }).diagnostics;
}

/**
 * With the ledger's lock held: what speaks against taking these functions. One problem a VM that has some.
 * @param by a VM that may have them already
 */
export function takenDevices(
  system: System,
  root: string,
  wanted: readonly string[],
  by?: string,
): readonly Diagnostic[] {
  return holdings(system, root).flatMap(({ vm, pciFunctions = [] }) => {
    const shared = vm === by ? [] : pciFunctions.filter((address) => wanted.includes(address));
    if (shared.length === 0) return [];
    return refusal("HOST_DEVICE_BUSY", {
      found: `${shared.join(", ")} ${shared.length === 1 ? "belongs" : "belong"} to ${vm}`,
      needed: "devices that no other VM has",
      fix: `qlaunch down ${vm} gives them back, also when it is dead; or name other devices`,
    }).diagnostics;
  });
}

function newRecord(system: System, { plan, version }: Reservation): VmRecord {
  const { vcpus, memoryDevices, idleCpus = [] } = plan.placement;
  const dimms = memoryDevices.filter(({ kind }) => kind === "dimm");
  const cells = plan.placement.cells.map((cell) => ({
    ...cell,
    memoryBytes: dimms
      .filter((dimm) => dimm.cell === cell.id)
      .reduce((sum, dimm) => sum + dimm.memoryBytes, cell.memoryBytes),
  }));
  const boot = vcpus.filter((vcpu) => vcpu.boot);
  return {
    format: 1,
    qlaunch: version,
    name: plan.name,
    uuid: plan.uuid ?? crypto.randomUUID(),
    phase: "starting",
    worker: identify(system.files, process.pid) ?? null,
    bootId: readBootId(system.files),
    createdMs: system.clock.now(),
    program: plan.program,
    qemu: null,
    helpers: [],
    vcpus: boot.length,
    memoryBytes: cells.reduce((sum, cell) => sum + cell.memoryBytes, 0),
    cells: cells.map(({ id, memoryBytes, pageSizeBytes, hostNodes }) => ({
      id,
      memoryBytes,
      pageSizeBytes,
      hostNodes,
    })),
    // Those of vCPUs that may come later too: a place that was planned is there when it is wanted.
    exclusiveCpus: idUnion([
      ...vcpus.filter((vcpu) => vcpu.exclusive).map((vcpu) => vcpu.hostCpus ?? []),
      idleCpus,
    ]),
    pciFunctions: plan.run.passthrough.map(({ address }) => address),
    undo: [],
  };
}

function makeDirectory(system: System, reservation: Reservation, record: VmRecord): Journal {
  const { files } = system;
  const { places, account } = reservation;
  files.makeDirectory(places.directory, 0o700);
  try {
    const journal = new Journal(files, places.directory, record);
    journal.register("make the run directory", { do: "remove", path: places.directory });
    files.makeDirectory(places.qemuDirectory, 0o700);
    if (account !== undefined) {
      // QEMU reaches its own folder through ours, and sees nothing else in it.
      files.changeOwner(places.directory, system.user.uid, account.gid);
      files.changeMode(places.directory, 0o710);
      files.changeOwner(places.qemuDirectory, account.uid, account.gid);
    }
    return journal;
  } catch (error) {
    files.remove(places.directory);
    throw error;
  }
}
