import type { Placement } from "../plan/types.ts";
import type { IoThreadInfo } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { formatIdSet, type IdSet } from "../units/index.ts";
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

/**
 * Pins every thread with one child of ours: xargs runs taskset for each, and only /proc tells whether it worked.
 * @returns what taskset said, for the message when it did not
 * @see https://man7.org/linux/man-pages/man1/taskset.1.html
 */
export async function applyPins(system: System, pins: readonly ThreadPin[]): Promise<string> {
  if (pins.length === 0) return "";
  const words = pins.flatMap(({ hostCpus, threadId }) => [formatIdSet(hostCpus), String(threadId)]);
  const arguments_ = ["--null", "--max-args=2", "taskset", "--pid", "--cpu-list"];
  const { stderr } = await system.processes.run("xargs", arguments_, { input: `${words.join("\0")}\0` });
  return stderr;
}
