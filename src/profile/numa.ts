import * as z from "zod";
import { byteSize, idSet } from "./scalars.ts";

const cell = z.strictObject({
  cpus: idSet.prefault("").meta({ description: "vCPUs of the cell. Default: none." }),
  memory: byteSize.prefault(0).meta({ description: "Memory of the cell. Default 0." }),
  hostNodes: idSet.optional().meta({
    description:
      "Host nodes that hold the cell's memory and, with automatic pinning, its vCPUs. Default: not bound.",
  }),
  policy: z.enum(["bind", "preferred", "interleave"]).optional().meta({
    description: "Memory policy on the host nodes. Default bind.",
  }),
  distances: z.array(z.int().min(10).max(255)).optional().meta({
    description:
      "To each cell in order; 10 for itself, 11-255 for others. Give them for all cells or none. Default: 10 and 20.",
  }),
});

/** @see https://www.qemu.org/docs/master/system/invocation.html (-numa) */
export const numa = z.strictObject({
  cells: z.array(cell).min(1).max(128).meta({ description: "The guest's NUMA nodes, in order." }),
});
