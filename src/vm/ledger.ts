import { refusal } from "../errors/index.ts";
import type { HeldMemory, Holding, Ledger } from "../host/ledger.ts";
import { join, type System } from "../system/index.ts";
import { listNames, readBootId, readLiveness, readRecord, type VmRecord } from "./record.ts";
import { checkOwnFolder, runRoot } from "./run-root.ts";

/** What the VMs of this run root hold. VMs of other users have run roots of their own, and are not in it. */
export function readLedger(system: System): Ledger {
  const root = runRoot(system);
  checkOwnFolder(system, root);
  return holdings(system, root);
}

export function holdings(system: System, root: string): Holding[] {
  const { files } = system;
  return listNames(files, root).flatMap((name) => {
    const reading = readRecord(files, join(root, name));
    if (reading.kind !== "record") return [];
    const { record } = reading;
    const { qemu, worker } = readLiveness(files, record);
    const lives = qemu || (record.phase === "starting" && worker);
    const pciFunctions = lives ? (record.pciFunctions ?? []) : notGivenBack(record, readBootId(files));
    if (!lives && pciFunctions.length === 0) return [];
    return [
      {
        vm: name,
        exclusiveCpus: lives ? record.exclusiveCpus : [],
        memory: lives ? record.cells.map(heldMemory) : [],
        pciFunctions,
      },
    ];
  });
}

function heldMemory({ memoryBytes, pageSizeBytes, hostNodes }: VmRecord["cells"][number]): HeldMemory {
  return { bytes: memoryBytes, pageSizeBytes, hostNodes };
}

/** CPUs are free when their VM is dead; a device is not before somebody gives it back, since only its record knows how. */
function notGivenBack(record: VmRecord, bootId: string): string[] {
  if (record.bootId !== bootId) return [];
  return record.undo.flatMap(({ action }) => (action.do === "give-back-device" ? action.address : []));
}

/** How long another command may take to note what it takes: it writes one file, or moves a few devices. */
const waitMs = 10_000;

/**
 * Runs work while no other VM can take CPUs or devices.
 * @param doing what people read who have to wait
 * @throws QlaunchError VM_BUSY
 */
export async function withLedgerLock<T>(
  system: System,
  root: string,
  doing: string,
  work: () => T | Promise<T>,
): Promise<T> {
  const lock = await system.locks.take(join(root, ".ledger.lock"), doing, { waitMs });
  if (!("release" in lock)) {
    throw refusal("VM_BUSY", {
      found: `${lock.heldBy || "another start"} holds the list of reserved CPUs and devices`,
      needed: "the list for a moment",
      fix: "try again",
    });
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
