import type { NumaDistanceOption, NumaNodeOption } from "../plan/index.ts";
import { formatProperties } from "./escape.ts";

/** -numa node,... @see https://www.qemu.org/docs/master/system/invocation.html @see src/plan/numa.ts */
export function formatNumaNode({ nodeId, cpus, memdev }: NumaNodeOption): string {
  return ["node", ...formatProperties({ nodeid: nodeId, cpus, memdev })].join(",");
}

/** -numa dist,... */
export function formatNumaDistance({ source, destination, value }: NumaDistanceOption): string {
  return ["dist", ...formatProperties({ src: source, dst: destination, val: value })].join(",");
}
