import { type QlaunchError, refusal } from "../errors/index.ts";
import type { LiveVm } from "./live.ts";

/**
 * How many vCPUs QEMU can still make. Under TCG it has a context for each of cpus.max, takes one for every vCPU that
 * it ever makes, never gets one back from a vCPU that left, and aborts when there is none.
 * @returns undefined when there is no limit
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/tcg/tcg.c (tcg_register_thread)
 */
export async function vcpusLeft(live: LiveVm): Promise<number | undefined> {
  const { enabled } = await live.qmp.execute("query-kvm");
  return enabled ? undefined : live.plan.placement.vcpus.length - vcpusMade(live);
}

/** Counts one more, before QEMU is asked: one too many after a cut-off does no harm. */
export function countVcpu(live: LiveVm): void {
  live.journal.update({ vcpusMade: vcpusMade(live) + 1 });
}

/** @throws QlaunchError LIVE_VCPU_TCG */
export async function checkBudget(live: LiveVm, wanted: number): Promise<void> {
  const left = await vcpusLeft(live);
  if (left !== undefined && wanted > left) throw spent(live, wanted, left);
}

const vcpusMade = ({ journal, plan }: LiveVm) =>
  journal.record.vcpusMade ?? plan.placement.vcpus.filter(({ boot }) => boot).length;

function spent({ plan, name }: LiveVm, wanted: number, left: number): QlaunchError {
  const max = plan.placement.vcpus.length;
  return refusal("LIVE_VCPU_TCG", {
    found: `${wanted} new vCPU${wanted === 1 ? "" : "s"} asked for, and QEMU can make ${left} more without KVM: it has made ${max - left} of ${max} since ${name} started, those that left again among them`,
    needed: "as many vCPUs in all as cpus.max: one more makes a QEMU without KVM abort",
    fix: "use KVM, which has no such limit; or write a higher cpus.max and start the VM again",
  });
}
