import { join } from "node:path";
import type { Holding, Ledger } from "../host/ledger.ts";
import type { System } from "../system/index.ts";
import { listNames, readLiveness, readRecord } from "./record.ts";
import { checkOwnFolder, runRoot } from "./run-root.ts";

/** What the live VMs of this run root hold. VMs of other users have run roots of their own, and are not in it. */
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
    const { qemu, worker } = readLiveness(files, reading.record);
    const starting = reading.record.phase === "starting" && worker;
    return qemu || starting ? [{ vm: name, exclusiveCpus: reading.record.exclusiveCpus }] : [];
  });
}
