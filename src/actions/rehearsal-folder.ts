import { join, type System } from "../system/index.ts";
import { endSimulatedHost } from "./simulated-host.ts";

/** A folder of one rehearsal's own: profiles, run directory, logs. */
export interface RehearsalFolder {
  readonly path: string;
  /** Takes it away, unless it shall stay. */
  close(): void;
}

const prefix = "qlaunch-rehearsal-";
const youngMs = 5_000;
/** Held for as long as the rehearsal lives; the kernel frees it with its holder. */
const lockFile = (folder: string) => join(folder, "lock");
const keptFile = (folder: string) => join(folder, "kept");

/** Makes the folder, after those of rehearsals that were killed are cleaned up. */
export async function openRehearsalFolder(system: System, keep: boolean): Promise<RehearsalFolder> {
  const parent = system.user.environment.TMPDIR || "/tmp";
  await cleanUp(system, parent);
  const path = join(parent, `${prefix}${crypto.randomUUID().slice(0, 8)}`);
  system.files.makeDirectory(path, 0o700);
  const lock = await system.locks.take(lockFile(path), `process ${process.pid}`);
  if (keep) system.files.writeAtomically(keptFile(path), "");
  return {
    path,
    close() {
      if ("release" in lock) lock.release();
      if (!keep) system.files.remove(path);
    },
  };
}

/** Ends the simulated hosts of rehearsals that are no more, and removes their folders unless they shall stay. */
async function cleanUp(system: System, parent: string): Promise<void> {
  for (const name of system.files.list(parent) ?? []) {
    const folder = join(parent, name);
    if (!name.startsWith(prefix) || !isLeft(system, folder)) continue;
    const lock = await system.locks.take(lockFile(folder), `process ${process.pid}`);
    if (!("release" in lock)) continue;
    try {
      await endSimulatedHost(system, folder);
    } finally {
      lock.release();
    }
    if (system.files.facts(keptFile(folder)) === undefined) system.files.remove(folder);
  }
}

/** Others may make folders of such names beside ours; and a rehearsal that begins now has no lock yet. */
function isLeft({ files, user, clock }: System, folder: string): boolean {
  const facts = files.facts(folder, { followLinks: false });
  if (facts?.kind !== "directory" || facts.uid !== user.uid || (facts.mode & 0o077) !== 0) return false;
  return clock.now() - facts.modifiedMs > youngMs;
}
