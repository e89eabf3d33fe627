import type { JsonPath } from "../errors/index.ts";
import type { Host } from "../host/topology.ts";
import { formatIdSet, type IdSet, idIntersection } from "../units/index.ts";
import type { Draft } from "./draft.ts";

/** Says of sets of host CPUs what is wrong with them. */
export class HostCpuCheck {
  private readonly draft: Draft;
  private readonly online: ReadonlySet<number>;
  private readonly present: ReadonlySet<number>;
  /** Online, and not this program's. */
  private readonly outside: ReadonlySet<number>;

  constructor(draft: Draft) {
    this.draft = draft;
    this.online = new Set(onlineCpus(draft.host));
    this.present = new Set(draft.host.cpus.map((cpu) => cpu.id));
    this.outside = new Set(
      draft.host.cpus.filter((cpu) => cpu.online && !this.online.has(cpu.id)).map((cpu) => cpu.id),
    );
  }

  /** As `check`, and there is at least one. */
  checkSome(cpus: IdSet, path: JsonPath): void {
    this.check(cpus, path);
    if (cpus.length > 0) return;
    this.draft.refuse("PROFILE_VALUE", path, {
      found: "an empty set of host CPUs",
      needed: "at least one, or a thread could run nowhere",
      fix: "name host CPUs, or leave the key out",
    });
  }

  /** Every CPU of the set exists and is online; else the set is refused, or warned about. */
  check(cpus: IdSet, path: JsonPath, level: "refuse" | "warn" = "refuse"): void {
    const unusable = cpus.filter((id) => !this.online.has(id));
    if (unusable.length === 0) return;
    const absent = unusable.filter((id) => !this.present.has(id));
    const outside = unusable.filter((id) => this.outside.has(id));
    const offline = unusable.filter((id) => this.present.has(id) && !this.outside.has(id));
    const parts = [
      ...(absent.length > 0 ? [`host CPU ${formatIdSet(absent)} does not exist`] : []),
      ...(offline.length > 0 ? [`host CPU ${formatIdSet(offline)} is offline`] : []),
      ...(outside.length > 0
        ? [`host CPU ${formatIdSet(outside)} is outside the cpuset that this program runs in`]
        : []),
    ];
    this.draft[level]("HOST_CPU_ABSENT", path, {
      found: parts.join(", "),
      needed: `online CPUs of this ${this.draft.host.share ? "cpuset" : "host"}: ${formatIdSet(onlineCpus(this.draft.host))}`,
      fix: "name CPUs that the host has (`qlaunch host show`)",
    });
  }
}

/** Those that a guest can have: online, and in the share of this program. */
export function onlineCpus({ cpus, share }: Pick<Host, "cpus" | "share">): IdSet {
  const online = cpus.filter((cpu) => cpu.online).map((cpu) => cpu.id);
  return share === undefined ? online : idIntersection(online, share.cpus);
}
