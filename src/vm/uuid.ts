import type { Plan } from "../plan/types.ts";

/**
 * Gives the plan an identity when the profile has none: the one of an earlier start, else a new one. The planner
 * cannot make it, since it gives the same plan for the same input.
 */
export function withUuid(plan: Plan, kept: string | undefined): Plan & { readonly uuid: string } {
  if (plan.uuid !== undefined) return { ...plan, uuid: plan.uuid };
  const uuid = kept ?? crypto.randomUUID();
  const decision = {
    id: "monitor.uuid",
    concern: "monitor",
    value: uuid,
    rule: "A VM without a uuid in its profile gets one at its first start, and keeps it while its run directory is there.",
    facts: [kept === undefined ? "first start" : "kept from an earlier start"],
    source: "https://www.qemu.org/docs/master/system/invocation.html",
  } as const;
  return {
    ...plan,
    uuid,
    decisions: [...plan.decisions, decision],
    options: [...plan.options, { option: "uuid", value: uuid, because: [decision.id] }],
  };
}
