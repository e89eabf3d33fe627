import { type QlaunchError, refusal } from "../errors/index.ts";
import type { LiveVm } from "./live.ts";

/**
 * How many vCPUs QEMU can still make. Under TCG it has a context for each of cpus.max, takes one for every vCPU that
 * it ever makes, never gets one back from a vCPU that left, and aborts when there is none.
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/tcg/tcg.c (tcg_register_thread)
 */
export interface VcpuBudget {
  /** @throws QlaunchError LIVE_VCPU_TCG */
  check(wanted: number): void;
  /** Notes so many, before QEMU is asked: some too many after a cut-off do no harm. */
  take(count: number): void;
  /** Takes back what QEMU was not asked for in the end. */
  giveBack(count: number): void;
}

const unlimited: VcpuBudget = { check() {}, take() {}, giveBack() {} };

export async function readBudget(live: LiveVm): Promise<VcpuBudget> {
  const { enabled } = await live.qmp.execute("query-kvm");
  if (enabled) return unlimited;
  const { vcpus } = live.plan.placement;
  const made = () => live.journal.record.vcpusMade ?? vcpus.filter(({ boot }) => boot).length;
  return {
    check(wanted) {
      if (wanted > vcpus.length - made()) throw spent(live, wanted, made());
    },
    take(count) {
      live.journal.update({ vcpusMade: made() + count });
    },
    giveBack(count) {
      live.journal.update({ vcpusMade: made() - count });
    },
  };
}

function spent({ plan, name }: LiveVm, wanted: number, made: number): QlaunchError {
  const max = plan.placement.vcpus.length;
  return refusal("LIVE_VCPU_TCG", {
    found: `${wanted} new vCPU${wanted === 1 ? "" : "s"} asked for, and QEMU can make ${max - made} more without KVM: it has made ${made} of ${max} since ${name} started, those that left again among them`,
    needed: "as many vCPUs in all as cpus.max: one more makes a QEMU without KVM abort",
    fix: "use KVM, which has no such limit; or write a higher cpus.max and start the VM again",
  });
}
