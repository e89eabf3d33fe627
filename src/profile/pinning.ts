import * as z from "zod";
import { identifier, idSet, patterned } from "./scalars.ts";

/** @see https://man7.org/linux/man-pages/man2/sched_setaffinity.2.html */
export const pinning = z.strictObject({
  vcpus: z
    .union([
      z.enum(["auto", "none"]),
      z.record(
        patterned(/^[0-9,^\s-]+$/, {
          needed: 'vCPU numbers such as "0" or "0-3"',
          fix: "write the vCPUs as the key, their host CPUs as the value",
        }),
        idSet,
      ),
    ])
    .optional()
    .meta({
      description:
        'auto, none, or host CPUs by vCPU: {"0": "4", "1-3": "0-14,60-74"}. Default: auto when a cell is bound to host nodes, else none.',
    }),
  granularity: z.enum(["node", "core", "thread"]).default("thread").meta({
    description:
      "What auto gives a vCPU: all CPUs of its node, both threads of a host core, or one host CPU. Default thread.",
  }),
  emulator: idSet.optional().meta({
    description:
      "Host CPUs of QEMU's own threads. Default with auto: the reserved CPUs, else those left on the nodes.",
  }),
  iothreads: z.record(identifier, idSet).default({}).meta({
    description: "Host CPUs by I/O thread. Default with auto: as the emulator, on the node of its disks.",
  }),
  threadPolicy: z.enum(["prefer", "isolate", "require"]).default("prefer").meta({
    description:
      "How auto uses the threads of host cores, with granularity thread. prefer: guest siblings on host siblings, others on cores of their own while there are some. isolate: a host core for each guest core, its other threads idle. require: host cores full of this guest's vCPUs. Default prefer.",
  }),
  reserve: z
    .union([z.literal("first-core"), idSet])
    .prefault("")
    .meta({
      description:
        "Host CPUs that automatic pinning leaves alone; first-core is the first core of each node. Default: none.",
    }),
  overcommit: z.boolean().default(false).meta({
    description:
      "Allow pins under which vCPUs share host CPUs. Default false: each must be able to have its own.",
  }),
});
