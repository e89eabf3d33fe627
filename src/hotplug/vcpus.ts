import { QlaunchError, refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { formatIdSet, type IdSet, idDifference, parseIdSet } from "../units/index.ts";
import { wantsOnline } from "./agent-plan.ts";
import { type LiveOptions, type LiveVm, withLiveVm } from "./live.ts";
import type { Operation } from "./operation.ts";
import { runOperation, takeUpOperations } from "./operation-run.ts";
import { askAhead } from "./recent-answers.ts";
import { readBudget } from "./vcpu-budget.ts";
import { chooseVcpus, type VcpuWish } from "./vcpu-choice.ts";
import { type LiveVcpu, presentIds, readVcpus } from "./vcpu-list.ts";
import { countOnline } from "./vcpu-online.ts";
import { vcpuRequest } from "./vcpu-operation.ts";

export interface SetVcpusOutcome {
  readonly name: string;
  /** What QEMU has now. */
  readonly vcpus: IdSet;
  readonly added: IdSet;
  readonly removed: IdSet;
  /** How many the guest says that it runs; undefined without an agent. */
  readonly guestRuns: number | undefined;
  /** Whether new vCPUs are brought online by the agent. */
  readonly broughtOnline: boolean;
  /** Undefined when the guest had those vCPUs already. */
  readonly operation: Operation | undefined;
}

/**
 * Gives a running guest more or fewer vCPUs, each new thread pinned to its planned host CPUs and read back.
 * @throws QlaunchError LIVE_VCPU_COUNT, LIVE_VCPU_CHOICE, LIVE_VCPU_FIXED, LIVE_VCPU_TCG, LIVE_GUEST_NOT_READY,
 *   LIVE_GUEST_REFUSED, HOST_CPU_ABSENT, VM_STATE, VM_TIMEOUT, VM_PIN_FAILED and those of opening the VM
 */
export async function setVcpus(
  system: System,
  name: string,
  wish: VcpuWish,
  options: LiveOptions,
): Promise<SetVcpusOutcome> {
  return withLiveVm(system, name, "qlaunch setvcpus", options, async (live) => {
    await askAhead([readVcpus(live), live.qmp.execute("query-kvm")]);
    await takeUpOperations(live, "setvcpus");
    const vcpus = await readVcpus(live);
    const choice = chooseVcpus(
      live.plan.placement,
      { vcpus: presentIds(vcpus), fixed: fixedIds(vcpus) },
      wish,
    );
    if (!choice.ok) throw new QlaunchError(choice.diagnostics);
    const { add, remove } = choice.value;
    if (remove.length > 0) await checkRuns(live);
    checkHostCpus(live, add);
    if (add.length > 0) {
      (await readBudget(live)).check(add.length);
      warnOfHiding(live);
    }
    const before = presentIds(vcpus);
    const operation =
      add.length + remove.length === 0
        ? undefined
        : await runOperation(live, vcpuRequest(choice.value, before.length));
    const after = presentIds(await readVcpus(live));
    return {
      name,
      vcpus: after,
      added: idDifference(after, before),
      removed: idDifference(before, after),
      guestRuns: await countOnline(live),
      broughtOnline: wantsOnline(live),
      operation,
    };
  });
}

const fixedIds = (vcpus: readonly LiveVcpu[]) =>
  vcpus.filter(({ present, deviceId }) => present && deviceId === undefined).map(({ placed }) => placed.id);

/** Only a guest that runs can give something up. */
async function checkRuns({ qmp, name }: LiveVm): Promise<void> {
  const { status } = await qmp.execute("query-status");
  if (status === "running") return;
  throw refusal("VM_STATE", {
    found: `the guest of ${name} does not run (${status})`,
    needed: "a running guest, which alone can give up vCPUs",
    fix: `qlaunch resume ${name}, wait until it has booted, then ask again`,
  });
}

/** @see https://github.com/torvalds/linux/blob/master/arch/x86/kernel/acpi/boot.c (CPUs that are not enabled at boot) */
function warnOfHiding({ plan, emit }: LiveVm): void {
  const cpu = plan.options.find((option) => option.option === "cpu");
  if (cpu?.properties.kvm !== false && cpu?.properties.hypervisor !== false) return;
  const message =
    "the profile hides the hypervisor from the guest, and Linux from the end of 2025 on finds no new CPU then";
  emit({ type: "notice", level: "warning", message });
}

function checkHostCpus({ system, plan, name }: LiveVm, add: IdSet): void {
  const online = parseIdSet(system.files.tryReadText("/sys/devices/system/cpu/online") ?? "") ?? [];
  const absent = add.filter((id) => {
    const { hostCpus } = plan.placement.vcpus[id] ?? {};
    return hostCpus !== undefined && idDifference(hostCpus, online).length > 0;
  });
  if (absent.length === 0 || online.length === 0) return;
  const planned = absent.flatMap((id) => plan.placement.vcpus[id]?.hostCpus ?? []);
  throw refusal("HOST_CPU_ABSENT", {
    found: `vCPU ${formatIdSet(absent)} of ${name} belongs on host CPU ${formatIdSet(
      idDifference(
        [...new Set(planned)].sort((a, b) => a - b),
        online,
      ),
    )}, which is offline`,
    needed: `online CPUs of this host: ${formatIdSet(online)}`,
    fix: "bring the host CPU online, or name other vCPUs with --vcpu",
  });
}
