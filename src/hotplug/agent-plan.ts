import type { RunPlan } from "../plan/types.ts";
import type { LiveVm } from "./live.ts";

/** Where the guest's agent is reached; undefined for a guest that has none. */
export function plannedAgent({ plan }: Pick<LiveVm, "plan">): RunPlan["consoles"][number] | undefined {
  return plan.run.consoles.find(({ type }) => type === "agent");
}

/** Whether the profile wants new vCPUs and memory brought online by the agent. */
export function wantsOnline(live: Pick<LiveVm, "plan">): boolean {
  return plannedAgent(live)?.online === true;
}
