import type { HostCpu } from "../../src/host/index.ts";
import { formatIdSet } from "../../src/units/index.ts";
import type { FakeFile } from "../rig/fake-system.ts";

/** The files that the kernel shows for these CPUs; an offline one has no topology. */
export function cpuFiles(cpus: readonly HostCpu[]): Record<string, FakeFile> {
  const folder = "/sys/devices/system/cpu";
  const list = (chosen: readonly HostCpu[]) => `${formatIdSet(chosen.map((cpu) => cpu.id))}\n`;
  const tree: Record<string, FakeFile> = {
    [`${folder}/present`]: list(cpus),
    [`${folder}/online`]: list(cpus.filter((cpu) => cpu.online)),
    [`${folder}/isolated`]: list(cpus.filter((cpu) => cpu.isolated)),
  };
  for (const cpu of cpus.filter((candidate) => candidate.online)) {
    const topology = `${folder}/cpu${cpu.id}/topology`;
    tree[`${topology}/physical_package_id`] = `${cpu.socket}\n`;
    tree[`${topology}/die_id`] = `${cpu.die}\n`;
    tree[`${topology}/core_id`] = `${cpu.core}\n`;
    tree[`${topology}/thread_siblings_list`] = `${formatIdSet(cpu.siblings)}\n`;
  }
  return tree;
}
