import type { Files } from "../system/index.ts";
import { parseIdSet } from "../units/index.ts";
import { readIds } from "./read-ids.ts";
import type { HostCpu, HostNode } from "./topology.ts";

const cpusPath = "/sys/devices/system/cpu";

/** @returns the online CPUs, by id */
export function readOnlineCpus(files: Files): readonly number[] {
  return parseIdSet(files.readText(`${cpusPath}/online`)) ?? [];
}

/**
 * Every present CPU, by id. Four files a core: its threads share all but their number.
 * @see https://docs.kernel.org/admin-guide/cputopology.html
 */
export function readCpus(files: Files, nodes: readonly HostNode[]): HostCpu[] {
  const online = readOnlineCpus(files);
  const present = readIds(files, `${cpusPath}/present`) ?? online;
  const isolated = new Set(readIds(files, `${cpusPath}/isolated`));
  const tickless = new Set(readIds(files, `${cpusPath}/nohz_full`));
  const nodeOf = new Map(nodes.flatMap((node) => node.cpus.map((cpu) => [cpu, node.id] as const)));
  const cores = new Map<number, Core>();
  for (const id of online) {
    if (cores.has(id)) continue;
    const core = readCore(files, id);
    for (const sibling of core.siblings) cores.set(sibling, core);
  }
  const caches = readCaches(files, online);
  return present.map((id) => {
    const core = cores.get(id);
    const l3 = caches.get(id);
    return core
      ? {
          ...{ id, online: true, node: nodeOf.get(id) ?? -1, ...core, isolated: isolated.has(id) },
          ...(tickless.has(id) ? { tickless: true } : {}),
          ...(l3 === undefined ? {} : { l3 }),
        }
      : { id, online: false, node: -1, ...unknownCore, isolated: isolated.has(id) };
  });
}

/** The first CPU of each level 3 cache, by CPU; two files a cache. */
function readCaches(files: Files, online: readonly number[]): Map<number, number> {
  const caches = new Map<number, number>();
  for (const id of online) {
    if (caches.has(id)) continue;
    // On x86 indexes 0 to 2 are the caches of level 1 and 2.
    const folder = `${cpusPath}/cpu${id}/cache/index3`;
    if (files.tryReadText(`${folder}/level`)?.trim() !== "3") return caches;
    for (const sharer of readIds(files, `${folder}/shared_cpu_list`) ?? []) caches.set(sharer, id);
  }
  return caches;
}

type Core = Pick<HostCpu, "socket" | "die" | "core" | "siblings">;

const unknownCore: Core = { socket: -1, die: -1, core: -1, siblings: [] };

function readCore(files: Files, cpu: number): Core {
  const folder = `${cpusPath}/cpu${cpu}/topology`;
  const siblings = readIds(files, `${folder}/thread_siblings_list`) ?? [];
  // The kernel says -1 where the platform does not tell, and has no die_id before 5.2: one die then.
  const number = (name: string, otherwise: number) => {
    const value = Number(files.tryReadText(`${folder}/${name}`)?.trim() || -1);
    return value >= 0 ? value : otherwise;
  };
  return {
    socket: number("physical_package_id", 0),
    die: number("die_id", 0),
    core: number("core_id", cpu),
    siblings: siblings.includes(cpu) ? siblings : [cpu],
  };
}
