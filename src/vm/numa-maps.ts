import { type IdSet, parseIdSet } from "../units/index.ts";

/** A mapping of a process's memory and the policy it is under. */
export interface PolicyMapping {
  /** Address where it begins, in hexadecimal without prefix, as both files of /proc spell it. */
  readonly start: string;
  readonly policy: "default" | "bind" | "preferred" | "interleave" | "other";
  readonly nodes: IdSet;
  /** Pages in memory now, by node. */
  readonly pages: ReadonlyMap<number, number>;
  readonly pageSizeBytes: number;
}

const policies: Readonly<Record<string, PolicyMapping["policy"]>> = {
  default: "default",
  bind: "bind",
  prefer: "preferred",
  interleave: "interleave",
};

/** Reads /proc/PID/numa_maps. @see https://man7.org/linux/man-pages/man5/numa.7.html */
export function parseNumaMaps(text: string): PolicyMapping[] {
  return text.split("\n").flatMap((line) => {
    // "bind:0-1", "prefer (many):0", "interleave=static:1,3", "default"
    const match = /^([0-9a-f]+) ([a-z]+)(?: \([a-z ]+\))?(?:=[a-z|]+)?(?::(\S+))?(.*)$/.exec(line);
    if (!match?.[1] || !match[2]) return [];
    const rest = match[4] ?? "";
    return [
      {
        start: match[1],
        policy: policies[match[2]] ?? "other",
        nodes: parseIdSet(match[3] ?? "") ?? [],
        pages: new Map(
          [...rest.matchAll(/ N(\d+)=(\d+)/g)].map(([, node, count]) => [Number(node), Number(count)]),
        ),
        pageSizeBytes: Number(/ kernelpagesize_kB=(\d+)/.exec(rest)?.[1] ?? 4) * 1024,
      },
    ];
  });
}

/** Sizes of the mappings in /proc/PID/maps, by their start. @see https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html */
export function parseMapSizes(text: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const [, start, end] of text.matchAll(/^([0-9a-f]+)-([0-9a-f]+) /gm)) {
    // Addresses of processes have up to 56 bits in whole pages: nothing is rounded.
    if (start && end) sizes.set(start, Number.parseInt(end, 16) - Number.parseInt(start, 16));
  }
  return sizes;
}
