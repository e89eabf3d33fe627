import type { PlannedDevice } from "../plan/types.ts";
import type { Row } from "../verify/index.ts";

type Placed = Pick<PlannedDevice, "id" | "bus" | "numaNode">;

/**
 * Whether the plan made on the simulated host has the passed-through devices where the plan for the real one has them:
 * below the same ports, on the same cell.
 */
export function comparePlans(
  real: readonly PlannedDevice[],
  rehearsed: readonly Placed[],
  ids: readonly string[],
): Row[] {
  const realWays = ways(real);
  const rehearsedWays = ways(rehearsed);
  return ids.map((id) => {
    const planned = realWays(id);
    const seen = rehearsedWays(id);
    return { kind: "passed", what: id, fact: "planned below", planned, seen, same: planned === seen };
  });
}

/** "dp3 sw1 rp1 pxb0, cell 1" */
function ways(devices: readonly Placed[]): (id: string) => string | undefined {
  const byId = new Map(devices.map((device) => [device.id, device]));
  return (id) => {
    const device = byId.get(id);
    if (device === undefined) return undefined;
    const way: string[] = [];
    for (let at: Placed | undefined = device; at !== undefined; at = byId.get(at.bus)) way.push(at.bus);
    return `${way.join(" ")}, ${device.numaNode === undefined ? "no cell" : `cell ${device.numaNode}`}`;
  };
}
