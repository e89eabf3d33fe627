import type { Files } from "../system/index.ts";
import { type IdSet, idDifference } from "../units/index.ts";
import { readIds } from "./read-ids.ts";
import type { HostNode, HostShare } from "./topology.ts";

const mounts = "/sys/fs/cgroup";

/**
 * What the cgroups of this process leave it, and so every QEMU that it starts: a container or a batch job has a part of
 * the machine. undefined where they leave all, and where the kernel does not tell.
 *
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html (cpuset.cpus.effective)
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/cpusets.html
 */
export function readShare(
  files: Files,
  online: IdSet,
  nodes: readonly Pick<HostNode, "id">[],
): HostShare | undefined {
  const found = readCpuset(files);
  if (found === undefined) return undefined;
  const ids = nodes.map(({ id }) => id);
  const leavesAll =
    idDifference(online, found.cpus).length === 0 && idDifference(ids, found.nodes).length === 0;
  return leavesAll ? undefined : found;
}

function readCpuset(files: Files): HostShare | undefined {
  for (const line of files.tryReadText("/proc/self/cgroup")?.trim().split("\n") ?? []) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const isOld = controllers?.split(",").includes("cpuset") === true;
    if (!isOld && controllers !== "") continue;
    // In a container of its own the path may be one of outside; what is mounted there is then its own root.
    for (const folder of isOld ? upFrom(`${mounts}/cpuset`, path) : upFrom(mounts, path)) {
      const cpus = readIds(files, `${folder}/${isOld ? "cpuset.effective_cpus" : "cpuset.cpus.effective"}`);
      const nodes = readIds(files, `${folder}/${isOld ? "cpuset.effective_mems" : "cpuset.mems.effective"}`);
      // A group without the controller has what is above it.
      if (cpus !== undefined && nodes !== undefined && cpus.length > 0) return { cpus, nodes };
    }
  }
  return undefined;
}

/** The group's folder and those above it. */
function upFrom(mount: string, path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "" && part !== "..");
  return [...parts.keys(), parts.length]
    .reverse()
    .map((count) => [mount, ...parts.slice(0, count)].join("/"));
}
