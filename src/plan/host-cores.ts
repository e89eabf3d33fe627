import type { Host } from "../host/topology.ts";
import { onlineCpus } from "./host-cpus.ts";

/** CPUs of one host core that a guest may have. */
export interface HostCore {
  readonly node: number;
  readonly cpus: readonly number[];
  /** No thread of the core is kept back. */
  readonly whole: boolean;
  /** The kernel keeps other work off it. */
  readonly quiet: boolean;
  /** What it shares its level 3 cache with; undefined where the host does not tell. */
  readonly l3: number | undefined;
}

interface KnownCore {
  readonly cpus: number[];
  readonly quiet: boolean;
  readonly l3: number | undefined;
}

/** The host's cores and which of their CPUs are still free. */
export class HostCores {
  private readonly byNode = new Map<number, KnownCore[]>();
  private readonly free: Set<number>;

  /** @param kept CPUs that nobody may have */
  constructor(host: Host, kept: ReadonlySet<number>) {
    const online = host.cpus.filter((cpu) => cpu.online);
    this.free = new Set(onlineCpus(host).filter((id) => !kept.has(id)));
    const known = new Map<string, KnownCore>();
    for (const cpu of online) {
      const key = `${cpu.node}/${cpu.siblings.length > 0 ? cpu.siblings.join(",") : cpu.id}`;
      const core = known.get(key);
      if (core) {
        core.cpus.push(cpu.id);
        continue;
      }
      const started = { cpus: [cpu.id], quiet: cpu.isolated || cpu.tickless === true, l3: cpu.l3 };
      known.set(key, started);
      const cores = this.byNode.get(cpu.node);
      if (cores) cores.push(started);
      else this.byNode.set(cpu.node, [started]);
    }
  }

  /** Cores with free CPUs, by node in the order given; those that the kernel keeps quiet first, then by their first CPU. */
  on(nodes: readonly number[]): HostCore[] {
    return nodes.flatMap((node) =>
      (this.byNode.get(node) ?? [])
        .flatMap(({ cpus: all, quiet, l3 }) => {
          const cpus = all.filter((id) => this.free.has(id));
          return cpus.length > 0 ? [{ node, cpus, whole: cpus.length === all.length, quiet, l3 }] : [];
        })
        .sort((a, b) => Number(b.quiet) - Number(a.quiet)),
    );
  }

  take(cpus: readonly number[]): void {
    for (const id of cpus) this.free.delete(id);
  }
}

/**
 * Which cores to try, so that vCPUs that work together share as few level 3 caches as can be: single caches, the one
 * with the least room first, so that others stay whole; then several, the roomiest first; then all.
 */
export function cacheChoices(cores: readonly HostCore[]): (readonly HostCore[])[] {
  const caches = new Map<number, HostCore[]>();
  for (const core of cores) {
    if (core.l3 === undefined) return [cores];
    caches.set(core.l3, [...(caches.get(core.l3) ?? []), core]);
  }
  if (caches.size < 2) return [cores];
  const byRoom = [...caches.values()].sort((a, b) => countCpus(a) - countCpus(b));
  const several = byRoom.slice(2).map((_, index) => byRoom.slice(-(index + 2)));
  return [
    ...byRoom,
    ...several.map((some) => cores.filter((core) => some.some((cache) => cache.includes(core)))),
    cores,
  ];
}

export function countCpus(cores: readonly HostCore[]): number {
  return cores.reduce((sum, core) => sum + core.cpus.length, 0);
}
