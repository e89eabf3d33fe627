import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A new folder for what is noted of running guests: in memory, as /run is, where qlaunch and libvirt both keep it. A disk's
 * journal would be part of what is measured.
 */
export const stateFolder = (prefix) =>
  mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), prefix));
