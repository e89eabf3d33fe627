import type { Placement } from "../plan/types.ts";
import type { IoThreadInfo } from "../qmp/index.ts";
import type { AffinityFailure, System } from "../system/index.ts";
import type { IdSet } from "../units/index.ts";
import { listThreads } from "./process.ts";

/** A thread and the host CPUs it shall run on. */
export interface ThreadPin {
  readonly threadId: number;
  /** For messages: "vCPU 3", "I/O thread io0", "QEMU itself". */
  readonly what: string;
  readonly hostCpus: IdSet;
}

export interface QemuThreads {
  readonly pid: number;
  /** Thread ids by cpu-index. */
  readonly vcpus: ReadonlyMap<number, number>;
  readonly iothreads: readonly Pick<IoThreadInfo, "id" | "thread-id">[];
}

/**
 * What to pin, QEMU's main thread first: what it starts from then on inherits its CPUs. All threads that are neither
 * a vCPU's nor an I/O thread's go with it.
 */
export function planPins(system: System, placement: Placement, threads: QemuThreads): ThreadPin[] {
  const vcpuPins = placement.vcpus.flatMap(({ id, hostCpus }) => {
    const threadId = threads.vcpus.get(id);
    return hostCpus && threadId !== undefined ? [{ threadId, what: `vCPU ${id}`, hostCpus }] : [];
  });
  const iothreadPins = placement.iothreads.flatMap(({ id, hostCpus }) => {
    const threadId = threads.iothreads.find((iothread) => iothread.id === id)?.["thread-id"];
    return hostCpus && threadId !== undefined ? [{ threadId, what: `I/O thread ${id}`, hostCpus }] : [];
  });
  const { emulator } = placement;
  if (emulator === undefined) return [...vcpuPins, ...iothreadPins];
  const others = emulatorThreads(system, threads).map((threadId) => ({
    threadId,
    what: threadId === threads.pid ? "QEMU itself" : `QEMU's thread ${threadId}`,
    hostCpus: emulator,
  }));
  return [...others, ...vcpuPins, ...iothreadPins];
}

function emulatorThreads(system: System, threads: QemuThreads): number[] {
  const named = new Set([
    ...threads.vcpus.values(),
    ...threads.iothreads.map((iothread) => iothread["thread-id"]),
  ]);
  return listThreads(system.files, threads.pid).filter((threadId) => !named.has(threadId));
}

/** Pins all at once; whether it worked, only /proc tells. @returns what the kernel refused, for the message when it did not */
export function applyPins({ affinity }: System, pins: readonly ThreadPin[]): Promise<AffinityFailure[]> {
  return affinity.set(pins.map(({ threadId, hostCpus }) => ({ threadId, cpus: hostCpus })));
}
