import { join } from "node:path";
import { refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";

/** What a rehearsal boots: the simulated host and the guest on it. */
export interface Images {
  readonly kernel: string;
  readonly hostInitrd: string;
  readonly guestInitrd: string;
}

/**
 * Images that were made before, in $QLAUNCH_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/qlaunch.
 * @throws QlaunchError REHEARSE_IMAGES
 */
export function findImages(system: System): Images {
  const folder = imageFolder(system);
  const images = {
    kernel: join(folder, "probe/vmlinux"),
    hostInitrd: join(folder, "lab/initrd.img"),
    guestInitrd: join(folder, "probe/initrd.img"),
  };
  const missing = Object.values(images).filter((path) => !system.files.allows(path, "read"));
  if (missing.length === 0) return images;
  throw refusal("REHEARSE_IMAGES", {
    found: `${missing.join(", ")} cannot be read`,
    needed: "a kernel and what it boots into, for the simulated host and for the guest on it",
    fix: "make them",
  });
}

function imageFolder({ user }: System): string {
  const { QLAUNCH_CACHE, XDG_CACHE_HOME, HOME = "/" } = user.environment;
  return QLAUNCH_CACHE || join(XDG_CACHE_HOME || join(HOME, ".cache"), "qlaunch");
}
