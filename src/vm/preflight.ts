import type { Diagnostic } from "../errors/index.ts";
import type { Host } from "../host/topology.ts";
import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";

/** Everything that would make a start fail or be slow. Changes nothing. */
export async function preflight(_system: System, _plan: Plan, _host: Host): Promise<Diagnostic[]> {
  return [];
}
