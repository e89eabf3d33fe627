import type { Files } from "../system/index.ts";
import { readHugepages } from "./hugepages.ts";
import { readIds } from "./read-ids.ts";
import type { HostNode, HugepagePool } from "./topology.ts";

const nodesPath = "/sys/devices/system/node";

/**
 * Every online NUMA node, by id. Nodes without memory or without CPUs are among them; ids may have gaps.
 * @param onlineCpus the CPUs of the one node 0 that stands for the machine when the kernel has no NUMA
 * @param pages "ordinary" where nobody asks for pools of huge pages: none are listed then; default "all"
 * @see https://docs.kernel.org/admin-guide/abi-stable.html#symbols-under-sys-devices-system-node
 */
export function readNodes(
  files: Files,
  onlineCpus: readonly number[],
  pages: "all" | "ordinary" = "all",
): HostNode[] {
  const poolsIn = (folder: string) => (pages === "all" ? readHugepages(files, folder) : []);
  const ids = readIds(files, `${nodesPath}/online`) ?? [];
  if (ids.length <= 1) return [readWholeMachine(files, ids[0] ?? 0, onlineCpus, poolsIn)];
  return ids.map((id, position) => {
    const folder = `${nodesPath}/node${id}`;
    return {
      id,
      cpus: readIds(files, `${folder}/cpulist`) ?? [],
      ...parseMemory(files.tryReadText(`${folder}/meminfo`) ?? ""),
      hugepages: poolsIn(`${folder}/hugepages`),
      distances: parseDistances(files.tryReadText(`${folder}/distance`), ids.length, position),
    };
  });
}

/**
 * One node holds everything, so the machine's own counters are used: a node's file leaves out memory that the kernel
 * sets up later, and the machine's files know which huge pages are promised to somebody already.
 */
function readWholeMachine(
  files: Files,
  id: number,
  cpus: readonly number[],
  poolsIn: (folder: string) => HugepagePool[],
): HostNode {
  return {
    id,
    cpus,
    ...parseMemory(files.tryReadText("/proc/meminfo") ?? ""),
    hugepages: poolsIn("/sys/kernel/mm/hugepages"),
    distances: [10],
  };
}

/**
 * Reads both spellings: "Node 0 MemTotal: 1 kB" of a node and "MemTotal: 1 kB" of the machine. A few of fifty lines, and
 * without a pattern: to compile one takes longer than all of it.
 */
function parseMemory(text: string): Pick<HostNode, "memoryBytes" | "freeBytes" | "reclaimableBytes"> {
  const value = (key: string) => {
    const at = text.indexOf(`${key}:`);
    return at === -1 ? 0 : Number.parseInt(text.slice(at + key.length + 1), 10) * 1024;
  };
  return {
    memoryBytes: value("MemTotal"),
    freeBytes: value("MemFree"),
    reclaimableBytes: Math.max(
      0,
      value("Active(file)") +
        value("Inactive(file)") +
        value("SReclaimable") -
        value("Dirty") -
        value("Writeback"),
    ),
  };
}

/** The kernel lists the distances to the online nodes in the order of their ids. Without a table: 10 and 20. */
function parseDistances(text: string | undefined, count: number, position: number): number[] {
  const distances = text?.trim().split(/\s+/).map(Number) ?? [];
  if (distances.length === count && distances.every(Number.isSafeInteger)) return distances;
  return Array.from({ length: count }, (_, other) => (other === position ? 10 : 20));
}
