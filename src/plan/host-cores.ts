import type { Host } from "../host/topology.ts";

/** CPUs of one host core that a guest may have. */
export interface HostCore {
  readonly node: number;
  readonly cpus: readonly number[];
  /** No thread of the core is kept back. */
  readonly whole: boolean;
}

/** The host's cores and which of their CPUs are still free. */
export class HostCores {
  private readonly byNode = new Map<number, number[][]>();
  private readonly free: Set<number>;

  /** @param kept CPUs that nobody may have */
  constructor(host: Host, kept: ReadonlySet<number>) {
    const online = host.cpus.filter((cpu) => cpu.online);
    this.free = new Set(online.filter((cpu) => !kept.has(cpu.id)).map((cpu) => cpu.id));
    const known = new Map<string, number[]>();
    for (const cpu of online) {
      const key = `${cpu.node}/${cpu.siblings.length > 0 ? cpu.siblings.join(",") : cpu.id}`;
      const core = known.get(key);
      if (core) {
        core.push(cpu.id);
        continue;
      }
      const started = [cpu.id];
      known.set(key, started);
      const cores = this.byNode.get(cpu.node);
      if (cores) cores.push(started);
      else this.byNode.set(cpu.node, [started]);
    }
  }

  /** Cores with free CPUs, by node in the order given, then by their first CPU. */
  on(nodes: readonly number[]): HostCore[] {
    return nodes.flatMap((node) =>
      (this.byNode.get(node) ?? []).flatMap((core) => {
        const cpus = core.filter((id) => this.free.has(id));
        return cpus.length > 0 ? [{ node, cpus, whole: cpus.length === core.length }] : [];
      }),
    );
  }

  take(cpus: readonly number[]): void {
    for (const id of cpus) this.free.delete(id);
  }
}

export function countCpus(cores: readonly HostCore[]): number {
  return cores.reduce((sum, core) => sum + core.cpus.length, 0);
}
