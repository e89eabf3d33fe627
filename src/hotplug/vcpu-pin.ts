import type { AffinityFailure } from "../system/index.ts";
import { type IdSet, idUnion } from "../units/index.ts";
import { allowedCpus, verifyPins } from "../vm/affinity.ts";
import { applyPins, type ThreadPin } from "../vm/pin.ts";
import type { LiveVm } from "./live.ts";
import type { LiveVcpu } from "./vcpu-list.ts";

/**
 * Pins threads as they appear, the first at once; those that appear while a pinning is under way share the next one,
 * so that a hundred vCPUs do not cost a hundred rounds.
 */
export class PinQueue {
  readonly #live: LiveVm;
  readonly #all: ThreadPin[] = [];
  #waiting: ThreadPin[] = [];
  readonly #failures: AffinityFailure[] = [];
  #work: Promise<void> | undefined;

  constructor(live: LiveVm) {
    this.#live = live;
  }

  add(pin: ThreadPin): void {
    this.#all.push(pin);
    this.#waiting.push(pin);
    this.#work ??= this.#run();
    // A failure is told by `settle`; until then nobody may be listening.
    this.#work.catch(() => {});
  }

  /**
   * Waits for all, and reads every thread's CPUs back from /proc.
   * @returns how many threads were pinned
   * @throws QlaunchError VM_PIN_FAILED
   */
  async settle(): Promise<number> {
    await this.#work;
    verifyPins(this.#live.system.files, this.#live.pid, this.#all, this.#failures);
    return this.#all.length;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const pins = this.#waiting;
      this.#waiting = [];
      this.#failures.push(...(await applyPins(this.#live.system, pins)));
    }
    this.#work = undefined;
  }
}

/**
 * Where a vCPU's thread belongs. One that the plan leaves to the scheduler is born with the CPUs of QEMU's main
 * thread, and gets those of another such vCPU, or all, when the main thread was pinned.
 * @returns undefined when there is nothing to do
 */
export function pinFor(live: LiveVm, vcpu: LiveVcpu, vcpus: readonly LiveVcpu[]): ThreadPin | undefined {
  const { threadId, placed } = vcpu;
  if (threadId === undefined) return undefined;
  const hostCpus = placed.hostCpus ?? unpinned(live, vcpus);
  return hostCpus && { threadId, what: `vCPU ${placed.id}`, hostCpus };
}

function unpinned({ system, pid, plan }: LiveVm, vcpus: readonly LiveVcpu[]): IdSet | undefined {
  if (plan.placement.emulator === undefined) return undefined;
  const others = vcpus.flatMap(({ placed, threadId }) =>
    placed.hostCpus === undefined && placed.boot && threadId !== undefined
      ? [allowedCpus(system.files, pid, threadId) ?? []]
      : [],
  );
  // Without another such vCPU: what this program may use, which QEMU was started by.
  return others.length > 0 ? idUnion(others) : allowedCpus(system.files, process.pid, process.pid);
}
