import { type Diagnostic, failure, type Result, success } from "../errors/index.ts";
import { coresOf } from "../plan/cpu.ts";
import type { Placement } from "../plan/types.ts";
import { formatIdSet, type IdSet, idDifference } from "../units/index.ts";
import { respread, type Spread } from "./vcpu-spread.ts";

/** What was asked: a number, or the very vCPUs that the guest shall have. Both must agree when both are given. */
export interface VcpuWish {
  readonly count: number | undefined;
  readonly vcpus: IdSet | undefined;
  readonly spread: Spread;
}

/** What the guest has. */
export interface PresentVcpus {
  readonly vcpus: IdSet;
  /** Those without a device id, which -smp made: vCPU 0, or all that the guest started with. */
  readonly fixed: IdSet;
}

export interface VcpuChoice {
  /** What the guest has afterwards. */
  readonly vcpus: IdSet;
  /** Lowest first. */
  readonly add: IdSet;
  /** Highest first, as they are asked for. */
  readonly remove: readonly number[];
}

/** Which vCPUs come and go; every reason against it at once. */
export function chooseVcpus(
  { vcpus: placed, cells }: Placement,
  present: PresentVcpus,
  wish: VcpuWish,
): Result<VcpuChoice> {
  const all = placed.map(({ id }) => id);
  const problems = [...checkCount(all.length, wish), ...checkNames(all, wish.vcpus ?? [])];
  if (problems.length > 0) return failure(problems);
  const guest = {
    cells: cells.map(({ vcpus }) => ({ cores: coresOf(vcpus, placed) })),
    fixed: new Set([0, ...present.fixed]),
  };
  const vcpus = wish.vcpus ?? respread(guest, present.vcpus, wish.count ?? present.vcpus.length, wish.spread);
  const leaving = idDifference(present.vcpus, vcpus);
  const stuck = wish.vcpus === undefined ? vcpus.length > (wish.count ?? 0) : false;
  const staying = leaving.filter((vcpu) => guest.fixed.has(vcpu));
  if (staying.length > 0 || stuck) return failure([fixedProblem(present, staying, wish)]);
  return success({ vcpus, add: idDifference(vcpus, present.vcpus), remove: [...leaving].reverse() });
}

function checkCount(max: number, { count, vcpus }: VcpuWish): Diagnostic[] {
  const wanted = count ?? vcpus?.length ?? 0;
  if (count !== undefined && vcpus !== undefined && count !== vcpus.length) {
    return [
      problem("LIVE_VCPU_CHOICE", {
        found: `${count} vCPUs, and --vcpu names ${vcpus.length}: ${formatIdSet(vcpus)}`,
        needed: "the same number: --vcpu names all vCPUs that the guest has afterwards",
        fix: "leave the number out, or name as many",
      }),
    ];
  }
  if (Number.isInteger(wanted) && wanted >= 1 && wanted <= max) return [];
  return [
    problem("LIVE_VCPU_COUNT", {
      found: `${wanted} vCPU${wanted === 1 ? "" : "s"} asked for`,
      needed: `1 to ${max}, the profile's cpus.max`,
      fix:
        wanted > max
          ? `raise cpus.max in the profile and start the VM again; or ask for ${max}`
          : "ask for 1 or more; qlaunch down ends the VM",
    }),
  ];
}

function checkNames(all: IdSet, named: IdSet): Diagnostic[] {
  const unknown = idDifference(named, all);
  const problems: Diagnostic[] = [];
  if (unknown.length > 0) {
    problems.push(
      problem("LIVE_VCPU_CHOICE", {
        found: `--vcpu names vCPU ${formatIdSet(unknown)}`,
        needed: `vCPUs among ${formatIdSet(all)}`,
        fix: "name vCPUs that the profile's cpus.max allows",
      }),
    );
  }
  if (named.length > 0 && !named.includes(0)) {
    problems.push(
      problem("LIVE_VCPU_FIXED", {
        found: `--vcpu names ${formatIdSet(named)}, without vCPU 0`,
        needed: "vCPU 0 among them: it starts the guest and stays",
        fix: `add it: --vcpu ${formatIdSet([0, ...named])}`,
      }),
    );
  }
  return problems;
}

function fixedProblem({ fixed }: PresentVcpus, staying: IdSet, { count }: VcpuWish): Diagnostic {
  return problem("LIVE_VCPU_FIXED", {
    found:
      staying.length > 0
        ? `vCPU ${formatIdSet(staying)} would have to go, and -smp made it`
        : `${count} vCPUs asked for, and vCPUs ${formatIdSet(fixed)} cannot be removed: -smp made them`,
    needed: "vCPUs that are devices with ids of their own",
    fix: `keep ${formatIdSet(fixed)}; to be free to remove them, start the VM with "hotpluggable": true in cpus, which is the default`,
  });
}

function problem(code: Diagnostic["code"], text: Pick<Diagnostic, "found" | "needed" | "fix">): Diagnostic {
  return { code, severity: "error", path: [], ...text };
}
