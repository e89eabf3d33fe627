import { refusal } from "../errors/index.ts";
import type { Placement } from "../plan/types.ts";
import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { verifyPins } from "./affinity.ts";
import { applyPins, planPins, type QemuThreads } from "./pin.ts";

/**
 * Asks a stopped QEMU for its threads, pins them as planned, and reads back from /proc where they may run.
 * @returns how many were pinned
 * @throws QlaunchError VM_PIN_FAILED
 */
export async function pinThreads(
  system: System,
  pid: number,
  placement: Placement,
  qmp: QmpClient,
): Promise<number> {
  const [cpus, iothreads] = await Promise.all([
    qmp.execute("query-cpus-fast"),
    qmp.execute("query-iothreads"),
  ]);
  const vcpus = new Map(cpus.map((cpu) => [cpu["cpu-index"], cpu["thread-id"]]));
  checkPresent(placement, { pid, vcpus, iothreads });
  const pins = planPins(system, placement, { pid, vcpus, iothreads });
  verifyPins(system.files, pid, pins, await applyPins(system, pins));
  return pins.length;
}

/** A thread that QEMU does not know would be left out in silence. */
function checkPresent({ vcpus, iothreads }: Placement, threads: QemuThreads): void {
  const missing = [
    ...vcpus.filter(({ boot, id }) => boot && !threads.vcpus.has(id)).map(({ id }) => `vCPU ${id}`),
    ...iothreads
      .filter(({ id }) => !threads.iothreads.some((iothread) => iothread.id === id))
      .map(({ id }) => `I/O thread ${id}`),
  ];
  if (missing.length === 0) return;
  throw refusal("VM_PIN_FAILED", {
    found: `QEMU has no ${missing.join(", no ")}`,
    needed: "every vCPU and I/O thread of the plan",
    fix: "look whether extraArgs changes -smp or the objects",
  });
}
