import type { Host, HostCpu, HostNode } from "../src/host/index.ts";
import { parseIdSet } from "../src/units/index.ts";
import type { FakeFile } from "../test/rig/fake-system.ts";

export type Facts = Omit<Host, "kvm" | "qemu">;

/**
 * A host from what people paste: `lscpu` and `numactl -H`. Neither tells which CPUs share a core, so the usual
 * numbering is assumed: all first threads, then all second ones. Free memory is told, reclaimable memory is not.
 */
export function hostFromText(lscpu: string, numactl: string): Facts {
  const field = (name: string) =>
    new RegExp(`^${escapeParentheses(name)}:\\s+(.*)$`, "m").exec(lscpu)?.[1]?.trim() ?? "";
  const ids = (text: string) => parseIdSet(text) ?? [];
  const threads = Number(field("Thread(s) per core"));
  const coresPerSocket = Number(field("Core(s) per socket"));
  const cores = Number(field("Socket(s)")) * coresPerSocket;
  const nodes = nodesFromText(numactl);
  const nodeOf = new Map(nodes.flatMap((node) => node.cpus.map((cpu) => [cpu, node.id] as const)));
  const cpus = ids(field("On-line CPU(s) list")).map((id): HostCpu => {
    const core = id % cores;
    return {
      id,
      online: true,
      node: nodeOf.get(id) ?? -1,
      socket: Math.floor(core / coresPerSocket),
      die: 0,
      core: core % coresPerSocket,
      siblings: Array.from({ length: threads }, (_, thread) => core + thread * cores),
      isolated: false,
    };
  });
  return {
    version: 1,
    processor: {
      vendor: field("Vendor ID"),
      model: field("Model name"),
      physicalAddressBits: Number.parseInt(field("Address sizes"), 10),
    },
    cpus,
    nodes,
  };
}

/** The sizes that a 64-bit server has; text of this kind does not tell how many pages are reserved, so none are. */
export const emptyPools = [2 ** 21, 2 ** 30].map((pageSizeBytes) => ({ pageSizeBytes, total: 0, free: 0 }));

function nodesFromText(numactl: string): HostNode[] {
  const values = (label: string) =>
    new Map(
      [...numactl.matchAll(new RegExp(`^${label}(.*)$`, "gm"))].map(([, id, rest]) => [
        Number(id),
        (rest ?? "").trim().split(/\s+/).filter(Boolean).map(Number.parseFloat),
      ]),
    );
  const cpus = values("node (\\d+) cpus:");
  const sizes = values("node (\\d+) size:");
  const free = values("node (\\d+) free:");
  const distances = values("\\s+(\\d+):");
  return [...cpus].map(([id, nodeCpus]) => ({
    id,
    cpus: nodeCpus,
    memoryBytes: (sizes.get(id)?.[0] ?? 0) * 2 ** 20,
    freeBytes: (free.get(id)?.[0] ?? 0) * 2 ** 20,
    hugepages: emptyPools,
    distances: distances.get(id) ?? [],
  }));
}

/** The files of a host from `grep -r "" FOLDER...`: each line is a path, a colon and a line of that file. */
export function filesFromGrep(text: string): Record<string, FakeFile> {
  const tree: Record<string, string> = {};
  for (const [, path, line] of text.matchAll(/^([^:\n]+):(.*)$/gm)) {
    if (path !== undefined) tree[path] = `${tree[path] ?? ""}${line}\n`;
  }
  return tree;
}

function escapeParentheses(text: string): string {
  return text.replace(/[()]/g, "\\$&");
}
