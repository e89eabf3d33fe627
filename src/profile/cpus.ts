import * as z from "zod";
import { lineOfText, patterned } from "./scalars.ts";

const count = z.int().min(1).max(4096);

/** @see https://www.qemu.org/docs/master/system/invocation.html (-smp, -cpu) */
export const cpus = z.strictObject({
  boot: count.meta({ description: "vCPUs that the guest starts with." }),
  max: count.optional().meta({ description: "vCPUs that it may grow to. Default: boot." }),
  model: patterned(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, {
    needed: '"host", "max" or the name of a CPU model',
    fix: 'write a name that "qemu-system-x86_64 -cpu help" lists',
  })
    .default("max")
    .meta({
      description:
        "CPU model: host (KVM only), max (all that the accelerator offers) or one of QEMU's names. Default max.",
    }),
  features: z
    .record(
      patterned(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, {
        needed: "the name of a CPU feature",
        fix: 'write a name that "qemu-system-x86_64 -cpu help" lists, and on or off as its value true or false',
      }),
      z.union([z.boolean(), z.int(), lineOfText]),
    )
    .default({})
    .meta({
      description: 'CPU properties by name: {"svm": true, "hypervisor": false}. Default: the model\'s own.',
    }),
  physicalBits: z
    .union([z.literal("host"), z.int().min(32).max(52)])
    .optional()
    .meta({
      description:
        "Width of guest physical addresses. Default: the model's own; host-passthrough models use the host's under KVM.",
    }),
  topology: z
    .strictObject({
      sockets: count.default(1).meta({ description: "Default 1." }),
      dies: count.default(1).meta({ description: "Dies of a socket. Default 1." }),
      cores: count.default(1).meta({ description: "Cores of a die. Default 1." }),
      threads: count.default(1).meta({ description: "Threads of a core. Default 1." }),
    })
    .optional()
    .meta({
      description:
        "sockets x dies x cores x threads = max. Default: a socket for each NUMA cell where that divides, one thread a core.",
    }),
  hotpluggable: z.boolean().default(true).meta({
    description: "Give every vCPU but the first an id of its own, so that it can be removed. Default true.",
  }),
});
