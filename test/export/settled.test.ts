import { describe, expect, it } from "vitest";
import { settle } from "../../src/export/libvirt/settled.ts";
import type { Plan } from "../../src/plan/index.ts";
import { planGolden } from "../golden/cases.ts";
import { argvDifferences, plannedCases } from "./cases.ts";

/** What is done around QEMU, wherever in a profile it is asked for. */
const runOf = ({ run }: Plan) => ({
  ...run,
  passthrough: run.passthrough.map((fn) => ({ ...fn, profilePath: [] })),
});

/** Who is where. What is kept from other VMs for no vCPU, or as a core, is the choice of automatic pinning alone. */
const placementOf = ({ placement: { idleCpus: _, ...rest } }: Plan, overcommit: boolean) => ({
  ...rest,
  vcpus: rest.vcpus.map((vcpu) => ({
    ...vcpu,
    exclusive: vcpu.exclusive && vcpu.hostCpus?.length === 1 && !overcommit,
  })),
});

describe("a profile with everything written out that was decided", () => {
  it.each(plannedCases)("$name has the same plan", ({ profile, host, plan }) => {
    const settled = settle(profile, plan);
    const again = planGolden(settled, host);
    if (!again.ok) throw new Error(JSON.stringify(again.diagnostics));
    expect(argvDifferences(plan, again.value)).toEqual([]);
    expect(runOf(again.value)).toEqual(runOf(plan));
    const { overcommit } = settled.pinning;
    expect(placementOf(again.value, overcommit)).toEqual(placementOf(plan, overcommit));
  });
});
