import * as z from "zod";
import { byteSize, hostPath, identifier } from "./scalars.ts";

/**
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/memory-hotplug.txt
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/nvdimm.txt
 */
const memoryDevice = z.strictObject({
  id: identifier.meta({ description: "Its name in the plan and in QEMU; unique in the profile." }),
  kind: z.enum(["dimm", "virtio-mem", "nvdimm"]).default("dimm").meta({
    description:
      "dimm: all there or not. virtio-mem: grows and shrinks with what is requested. nvdimm: persistent memory in a file or DAX device. Default dimm.",
  }),
  size: byteSize.meta({ description: "All of it; for virtio-mem the most that can be requested." }),
  cell: z.int().min(0).max(127).default(0).meta({ description: "The NUMA cell it belongs to. Default 0." }),
  pageSize: byteSize.optional().meta({ description: "Size of the host pages. Default: memory.pageSize." }),
  requested: byteSize.optional().meta({
    description: "virtio-mem only: how much the guest shall have at the start. Default: size.",
  }),
  path: hostPath.optional().meta({
    description:
      "nvdimm only, and needed there: an existing file of that size, or a device such as /dev/dax0.0. Default: none.",
  }),
  labelSize: byteSize.optional().meta({
    description: "nvdimm only: the part that holds the namespace labels, 128K at least. Default: no labels.",
  }),
  align: byteSize.optional().meta({
    description: 'nvdimm only: alignment that the device needs, such as "2M". Default: the file\'s own.',
  }),
  pmem: z
    .boolean()
    .optional()
    .meta({ description: "nvdimm only: the path is real persistent memory. Default false." }),
  unarmed: z.boolean().optional().meta({
    description: "nvdimm only: the guest may only read, and the file stays as it is. Default false.",
  }),
  share: z.boolean().optional().meta({
    description: "nvdimm only: false keeps what the guest writes out of the file. Default true.",
  }),
});

/** @see https://www.qemu.org/docs/master/system/invocation.html (memory-backend-ram, -memfd, -file) */
export const memory = z.strictObject({
  size: byteSize.meta({ description: "Memory at boot." }),
  max: byteSize.optional().meta({ description: "Memory it may grow to. Default: size." }),
  slots: z.int().min(0).max(256).default(0).meta({
    description: "Slots for DIMMs and NVDIMMs, at the start or later. Default 0.",
  }),
  devices: z.array(memoryDevice).default([]).meta({
    description:
      "DIMMs, virtio-mem devices and NVDIMMs that are there at the start, beside size. Default: none.",
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
    description:
      "Threads that take the pages of each cell. Default: one for each CPU of its host nodes, 16 at most, and none for less than 64 MiB.",
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
