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

const partition = z.strictObject({
  mode: z.enum(["host", "node"]).default("host").meta({
    description:
      "host: cells on the host's nodes as they are, with their distances. node: everything on one node, that of the devices where it has room, or a cell on each of theirs; where none has, a cell on each of as few as will do. Default host.",
  }),
  hostNodes: idSet.optional().meta({
    description: 'The nodes to choose from: "0-3,^2". Default: those with CPUs and memory.',
  }),
  cells: z.int().min(1).max(128).optional().meta({
    description: "How many cells. Default: with host, one for each node; with node, one.",
  }),
  distribution: z.enum(["contiguous", "siblings", "round-robin", "interleave"]).default("contiguous").meta({
    description:
      "contiguous: consecutive vCPUs to each cell. siblings: the same, with the host's threads a core. round-robin: vCPU by vCPU. interleave: core by core. Default contiguous.",
  }),
});

/** @see https://www.qemu.org/docs/master/system/invocation.html (-numa) */
export const numa = z.strictObject({
  cells: z
    .array(cell)
    .min(1)
    .max(128)
    .optional()
    .meta({ description: "The guest's NUMA nodes, in order. Default: by partition." }),
  partition: partition.optional().meta({ description: "Cells made from the host's nodes. Default: none." }),
});
