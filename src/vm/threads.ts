import type { System } from "../system/index.ts";
import { allowedCpus } from "./affinity.ts";
import { readStat, ticksPerSecond } from "./process.ts";
import { asRefusal } from "./qmp-refusal.ts";
import { openVm } from "./session.ts";
import type { VcpuThread } from "./types.ts";

/** Each vCPU of a running VM, by its number: where the plan has it, where the kernel has it. @throws QlaunchError */
export async function listVcpuThreads(system: System, name: string): Promise<VcpuThread[]> {
  const { record, plan, qmp, close } = await openVm(system, name);
  const pid = record.qemu?.pid ?? 0;
  try {
    const cpus = await qmp.execute("query-cpus-fast");
    return cpus
      .map((cpu) => {
        const [vcpu, threadId] = [cpu["cpu-index"], cpu["thread-id"]];
        const planned = plan.placement.vcpus.find(({ id }) => id === vcpu);
        const stat = readStat(system.files, pid, threadId);
        const lastCpu = stat?.lastCpu ?? -1;
        return {
          vcpu,
          threadId,
          cell: planned?.cell,
          plannedCpus: planned?.hostCpus,
          allowedCpus: allowedCpus(system.files, pid, threadId) ?? [],
          lastCpu,
          lastNode: nodeOf(system, lastCpu),
          cpuTimeMs: ((stat?.cpuTimeTicks ?? 0) / ticksPerSecond) * 1000,
        };
      })
      .sort((a, b) => a.vcpu - b.vcpu);
  } catch (error) {
    throw asRefusal(error, name);
  } finally {
    await close();
  }
}

/** sysfs has a link to its node in every CPU's folder. */
function nodeOf(system: System, cpu: number): number | undefined {
  const names = system.files.list(`/sys/devices/system/cpu/cpu${cpu}`) ?? [];
  const node = names.map((name) => /^node(\d+)$/.exec(name)?.[1]).find((id) => id !== undefined);
  return node === undefined ? undefined : Number(node);
}
