import type { EventSink } from "../events/event.ts";
import { ensureImages, findKernel, type GuestFile } from "../rehearse/index.ts";
import type { System } from "../system/index.ts";

/**
 * Makes what rehearsals and probe guests boot, in a folder: probe/vmlinuz, probe/vmlinux, probe/initrd.img and
 * lab/initrd.img. Nothing happens when they are there and none of their inputs has changed.
 * @throws QlaunchError REHEARSE_IMAGES, HOST_PROGRAM_MISSING
 */
export async function makeImages(
  system: System,
  order: { kernelFolder: string; folder: string; guestFiles: readonly GuestFile[]; emit: EventSink },
): Promise<void> {
  const { kernelFolder, folder, guestFiles, emit } = order;
  await ensureImages(system, {
    ...{ folder, guestFiles },
    kernel: findKernel(system, kernelFolder),
    making: () => emit({ type: "notice", level: "info", message: `making images in ${folder}` }),
  });
}
