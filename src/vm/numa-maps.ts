import type { Files } from "../system/index.ts";
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

/** What the kernel shows of a process's memory. */
export interface ProcessMemory {
  readonly mappings: readonly PolicyMapping[];
  /** In bytes, by the start of a mapping. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** Undefined where the kernel does not show it. It walks all pages of the process for that: 5 ms for each 100 MiB of small ones. */
export function readProcessMemory(files: Files, pid: number): ProcessMemory | undefined {
  return asProcessMemory(files.tryReadText(`/proc/${pid}/numa_maps`), files.tryReadText(`/proc/${pid}/maps`));
}

/** The same of a process that takes memory: the kernel may make a reader wait until it has it. */
export async function readProcessMemoryAside(files: Files, pid: number): Promise<ProcessMemory | undefined> {
  return asProcessMemory(
    await files.tryReadTextAside(`/proc/${pid}/numa_maps`),
    await files.tryReadTextAside(`/proc/${pid}/maps`),
  );
}

function asProcessMemory(policies: string | undefined, sizes: string | undefined): ProcessMemory | undefined {
  if (policies === undefined || sizes === undefined) return undefined;
  return { mappings: parseNumaMaps(policies), sizes: parseMapSizes(sizes) };
}

/** Where mappings begin, as `PolicyMapping` has it. */
export interface MappingStarts {
  /** Undefined for an address behind all that was read. */
  has(start: string): boolean | undefined;
}

/** A page: the kernel makes so much of the file at once. */
const firstBytes = 4096;

/**
 * Where its mappings begin, of the first of them or of all; undefined where the kernel does not show it. New ones come
 * below those that are there, as far as there is room, so that the first are most often enough to tell one.
 * @see https://www.kernel.org/doc/html/latest/arch/x86/x86_64/mm.html
 */
export function readMappingStarts(
  files: Files,
  pid: number,
  which: "first" | "all",
): MappingStarts | undefined {
  const text =
    which === "all" ? files.tryReadText(`/proc/${pid}/maps`) : firstLines(files, `/proc/${pid}/maps`);
  if (text === undefined) return undefined;
  const end = which === "all" ? Number.POSITIVE_INFINITY : lastStart(text);
  // Few are asked for, so that the hundreds of lines are not taken apart.
  const isThere = (start: string) => text.startsWith(`${start}-`) || text.includes(`\n${start}-`);
  return { has: (start) => (Number.parseInt(start, 16) > end ? undefined : isThere(start)) };
}

/** A mapping as /proc/PID/maps has it. */
export interface FoundMapping {
  readonly start: string;
  readonly sizeBytes: number;
  /** What numa_maps has at the least of each mapping before it, and of its own, in bytes. */
  readonly leastBytes: readonly number[];
}

/** The first mapping that is the one; those behind it are not read. */
export function findMapping(
  files: Files,
  pid: number,
  isIt: (start: string, sizeBytes: number) => boolean,
): FoundMapping | undefined {
  let found: FoundMapping | undefined;
  const leastBytes: number[] = [];
  files.findLine(`/proc/${pid}/maps`, (text) => {
    const mapping = parseMapping(text);
    leastBytes.push(leastPolicyBytes(text));
    if (mapping !== undefined && isIt(mapping.start, mapping.sizeBytes)) found = { ...mapping, leastBytes };
    return found !== undefined;
  });
  return found;
}

/** One mapping alone: the kernel walks the pages of those before it, and of none behind. */
export function readMapping(
  files: Files,
  pid: number,
  { start, sizeBytes, leastBytes }: FoundMapping,
): ProcessMemory | undefined {
  const line = files.findLineFrom(`/proc/${pid}/numa_maps`, `${start} `, leastBytes);
  const mapping = line === undefined ? undefined : parsePolicy(line);
  return mapping && { mappings: [mapping], sizes: new Map([[start, sizeBytes]]) };
}

/**
 * The least that numa_maps has of the mapping that maps has this line of: its start, a policy ("local" is the shortest) and
 * its file, where that has as many letters, or more for those that are written another way.
 */
function leastPolicyBytes(line: string): number {
  const file = line.indexOf(" /") + 1;
  return line.indexOf("-") + " local\n".length + (file === 0 ? 0 : " file=".length + line.length - file);
}

const policies: Readonly<Record<string, PolicyMapping["policy"]>> = {
  bind: "bind",
  prefer: "preferred",
  interleave: "interleave",
};

function firstLines(files: Files, path: string): string | undefined {
  const text = files.tryReadTextStart(path, firstBytes);
  return text?.slice(0, text.lastIndexOf("\n") + 1);
}

/** Where the last mapping of whole lines begins; 0 when there are none. */
function lastStart(text: string): number {
  return Number.parseInt(text.slice(text.lastIndexOf("\n", text.length - 2) + 1), 16) || 0;
}

/**
 * Reads /proc/PID/numa_maps: hundreds of lines, most of them of libraries and under no policy. Of each, only what is asked
 * for is parsed, and without patterns: to compile one takes longer than a thousand uses.
 * @see https://man7.org/linux/man-pages/man5/numa.7.html
 */
export function parseNumaMaps(text: string): PolicyMapping[] {
  const mappings: PolicyMapping[] = [];
  for (const line of text.split("\n")) {
    const mapping = parsePolicy(line);
    if (mapping !== undefined) mappings.push(mapping);
  }
  return mappings;
}

function parsePolicy(line: string): PolicyMapping | undefined {
  const policyAt = line.indexOf(" ") + 1;
  if (policyAt === 0) return undefined;
  const start = line.slice(0, policyAt - 1);
  if (line.startsWith("default", policyAt)) return new Mapping(start, "default", [], line);
  if (Number.isNaN(Number(`0x${start}`))) return undefined;
  // "bind:0-1", "prefer (many):0", "interleave=static:1,3"
  const facts = line.slice(policyAt).replace(" (many)", "");
  const [word = ""] = facts.split(" ", 1);
  const [name = ""] = (word.split(":", 1)[0] ?? "").split("=", 1);
  const nodes = word.includes(":") ? parseIdSet(word.slice(word.lastIndexOf(":") + 1)) : undefined;
  return new Mapping(start, policies[name] ?? "other", nodes ?? [], facts.slice(word.length));
}

const pageSizeFact = "kernelpagesize_kB=";

/** A line of the file, whose pages are counted when they are asked for. */
class Mapping implements PolicyMapping {
  readonly start: string;
  readonly policy: PolicyMapping["policy"];
  readonly nodes: IdSet;
  readonly #facts: string;

  /** @param facts the line, or its end: "anon=9 N0=5 N1=4 kernelpagesize_kB=2048" */
  constructor(start: string, policy: PolicyMapping["policy"], nodes: IdSet, facts: string) {
    this.start = start;
    this.policy = policy;
    this.nodes = nodes;
    this.#facts = facts;
  }

  get pages(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const fact of this.#facts.split(" ")) {
      const [name = "", count] = fact.split("=", 2);
      const node = Number(name.slice(1));
      if (name.startsWith("N") && name.length > 1 && Number.isInteger(node)) counts.set(node, Number(count));
    }
    return counts;
  }

  get pageSizeBytes(): number {
    const fact = this.#facts.split(" ").find((word) => word.startsWith(pageSizeFact));
    return Number(fact?.slice(pageSizeFact.length) ?? 4) * 1024;
  }
}

/** Sizes of the mappings in /proc/PID/maps, by their start. @see https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html */
export function parseMapSizes(text: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const line of text.split("\n")) {
    const mapping = parseMapping(line);
    if (mapping !== undefined) sizes.set(mapping.start, mapping.sizeBytes);
  }
  return sizes;
}

function parseMapping(line: string): { readonly start: string; readonly sizeBytes: number } | undefined {
  const [dash, space] = [line.indexOf("-"), line.indexOf(" ")];
  if (dash <= 0 || space < dash) return undefined;
  const start = line.slice(0, dash);
  // Addresses of processes have up to 56 bits in whole pages: nothing is rounded.
  const sizeBytes = Number.parseInt(line.slice(dash + 1, space), 16) - Number.parseInt(start, 16);
  return sizeBytes > 0 ? { start, sizeBytes } : undefined;
}
