import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { refusal } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import { formatIdSet, idIntersection, idUnion } from "../units/index.ts";
import type { Account } from "./accounts.ts";
import { Journal } from "./journal.ts";
import { holdings } from "./ledger.ts";
import { identify } from "./process.ts";
import { readBootId, type VmRecord } from "./record.ts";
import type { Places } from "./run-root.ts";

interface Reservation {
  readonly root: string;
  readonly places: Places;
  readonly plan: Plan;
  readonly version: string;
  readonly account: Account | undefined;
}

/** How long another start may take to note its CPUs: it writes one file. */
const ledgerWaitMs = 10_000;

/**
 * Makes the run directory with a record that holds the host CPUs of this VM. Two starts at once see each other's.
 * @throws QlaunchError HOST_CPUS_SHORT, VM_BUSY
 */
export async function reserve(system: System, reservation: Reservation): Promise<Journal> {
  const record = newRecord(system, reservation);
  if (record.exclusiveCpus.length === 0) return makeDirectory(system, reservation, record);
  const lock = await system.locks.take(join(reservation.root, ".ledger.lock"), `a start of ${record.name}`, {
    waitMs: ledgerWaitMs,
  });
  if (!("release" in lock)) {
    throw refusal("VM_BUSY", {
      found: `${lock.heldBy || "another start"} holds the list of reserved host CPUs`,
      needed: "the list for a moment",
      fix: "try again",
    });
  }
  try {
    checkFree(system, reservation.root, record);
    return makeDirectory(system, reservation, record);
  } finally {
    lock.release();
  }
}

function checkFree(system: System, root: string, record: VmRecord): void {
  const taken = holdings(system, root).flatMap(({ vm, exclusiveCpus }) => {
    const shared = idIntersection(exclusiveCpus, record.exclusiveCpus);
    return shared.length === 0 ? [] : [`host CPUs ${formatIdSet(shared)} belong to ${vm}`];
  });
  if (taken.length === 0) return;
  throw refusal("HOST_CPUS_SHORT", {
    found: taken.join(", "),
    needed: "host CPUs that no other VM's vCPUs have to themselves",
    fix: "start it again: pinning auto takes other CPUs; or change pinning.vcpus",
  });
}

function newRecord(system: System, { plan, version }: Reservation): VmRecord {
  const { vcpus, memoryDevices } = plan.placement;
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
    uuid: plan.uuid ?? randomUUID(),
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
    exclusiveCpus: idUnion(vcpus.filter((vcpu) => vcpu.exclusive).map((vcpu) => vcpu.hostCpus ?? [])),
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
