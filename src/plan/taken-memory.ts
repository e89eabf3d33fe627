import type { IdSet } from "../units/index.ts";
import type { Plan } from "./types.ts";

/** Memory that QEMU takes before it answers. */
export interface TakenMemory {
  readonly memdev: string;
  readonly bytes: number;
  readonly hostNodes: IdSet | undefined;
  /** That take it at the same time. */
  readonly threads: number;
}

/**
 * What a kernel zeroes at the least in a second, by one thread: a processor's core writes several times as much, and
 * page faults, or a host that is a guest itself, take their part of it.
 */
export const bytesPerThreadSecond = 2 ** 30;

/**
 * Backends that are preallocated; or all of them, by one thread, when memory is locked or devices of the host reach it.
 * What a virtio-mem device has is taken by the guest, and an NVDIMM's memory is its file's.
 */
export function takenAtStart({
  options,
  run,
  placement,
}: Pick<Plan, "options" | "run" | "placement">): TakenMemory[] {
  const isPinned = run.lockedBytes > 0 || run.passthrough.length > 0;
  const own = new Set(
    placement.memoryDevices.filter(({ kind }) => kind !== "dimm").map(({ memdev }) => memdev),
  );
  return options.flatMap((option) => {
    if (option.option !== "object" || !option.qomType.startsWith("memory-backend-")) return [];
    const { size, prealloc, "prealloc-threads": threads, "host-nodes": hostNodes } = option.properties;
    if (own.has(option.id) || typeof size !== "number" || (prealloc !== true && !isPinned)) return [];
    return [
      {
        memdev: option.id,
        bytes: size,
        hostNodes: Array.isArray(hostNodes) ? (hostNodes as number[]) : undefined,
        threads: prealloc === true && typeof threads === "number" ? threads : 1,
      },
    ];
  });
}

/** Seconds that it takes at the most, one backend after another; newer QEMUs take several at once. */
export function takingSeconds(taken: readonly Pick<TakenMemory, "bytes" | "threads">[]): number {
  return taken.reduce((sum, { bytes, threads }) => sum + bytes / (threads * bytesPerThreadSecond), 0);
}

/** "under 1 s", "about 40 s", "about 3 min". */
export function describeTaking(taken: readonly Pick<TakenMemory, "bytes" | "threads">[]): string {
  const seconds = takingSeconds(taken);
  if (seconds < 1) return "under 1 s";
  return seconds < 100 ? `about ${Math.round(seconds)} s` : `about ${Math.round(seconds / 60)} min`;
}
