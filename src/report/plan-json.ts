import type { P2pPair } from "../plan/p2p.ts";
import type { Score } from "../plan/score.ts";
import type { Plan } from "../plan/types.ts";
import { renderJson } from "./json.ts";

/** `qlaunch plan --format json`: the command line, why it is so, where everything goes, and who reaches whom. */
export function renderPlanJson(
  plan: Plan,
  argv: readonly string[],
  p2p: readonly P2pPair[],
  score?: Score,
): string {
  const { decisions, placement, devices } = plan;
  return renderJson({ name: plan.name, argv, decisions, placement, devices, p2p, score });
}
