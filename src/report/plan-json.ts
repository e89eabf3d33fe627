import type { Plan } from "../plan/types.ts";
import { renderJson } from "./json.ts";

/** `qlaunch plan --format json`: the command line, why it is so, and where everything goes. */
export function renderPlanJson(plan: Plan, argv: readonly string[]): string {
  const { decisions, placement, devices } = plan;
  return renderJson({ name: plan.name, argv, decisions, placement, devices });
}
