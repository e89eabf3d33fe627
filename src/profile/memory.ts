import * as z from "zod";
import { byteSize, hostPath } from "./scalars.ts";

/** @see https://www.qemu.org/docs/master/system/invocation.html (memory-backend-ram, -memfd, -file) */
export const memory = z.strictObject({
  size: byteSize.meta({ description: "Memory at boot." }),
  max: byteSize.optional().meta({ description: "Memory it may grow to. Default: size." }),
  slots: z.int().min(0).max(256).default(0).meta({
    description: "DIMM slots for memory added later. Default 0.",
  }),
  backend: z.enum(["auto", "ram", "memfd", "file"]).default("auto").meta({
    description:
      "Where guest memory comes from. auto: memfd for huge pages and for shared memory, else ram. Default auto.",
  }),
  path: hostPath.optional().meta({
    description:
      "Folder or file of the file backend, such as a hugetlbfs mount. Default: none; the file backend needs one.",
  }),
  pageSize: byteSize.optional().meta({
    description: 'Size of the host pages, "2M" or "1G" for huge ones. Default: ordinary pages.',
  }),
  locked: z
    .boolean()
    .default(false)
    .meta({ description: "Keep all of QEMU's memory from being swapped. Default false." }),
  prealloc: z.boolean().optional().meta({
    description: "Take all memory at the start. Default: true for huge pages, else false.",
  }),
  preallocThreads: z.int().min(1).max(16).optional().meta({
    description: "Threads that touch the pages of each cell. Default: the cell's vCPUs, 16 at most.",
  }),
  share: z.boolean().optional().meta({
    description: "Map memory shared, as vhost-user back ends need. Default: true with virtiofs, else false.",
  }),
  merge: z.boolean().default(true).meta({ description: "Let KSM merge equal pages. Default true." }),
  dump: z
    .boolean()
    .default(false)
    .meta({ description: "Include guest memory in core dumps. Default false." }),
});
