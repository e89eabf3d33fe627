import * as z from "zod";
import { byteSize, identifier, slotAddress } from "./scalars.ts";

const portOptions = {
  addr: slotAddress
    .optional()
    .meta({ description: 'Slot and function on its bus, hexadecimal: "1.0". Default: packed.' }),
  chassis: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: "Chassis number; unique with slot. Default: computed." }),
  slot: z
    .int()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: "Slot number in its chassis. Default: computed." }),
  hotplug: z
    .boolean()
    .default(true)
    .meta({ description: "Whether a device can be added and removed while the guest runs. Default true." }),
};

const link = {
  speed: z
    .enum(["2_5", "5", "8", "16", "32", "64"])
    .optional()
    .meta({ description: "Link speed in GT/s. Default: QEMU's." }),
  width: z
    .literal([1, 2, 4, 8, 12, 16, 32])
    .optional()
    .meta({ description: "Link width in lanes. Default: QEMU's." }),
};

const downstreamPort = z.strictObject({
  port: identifier.meta({ description: "Id of the downstream port: what a device names as its bus." }),
  ...portOptions,
  ...link,
  hotplug: z.boolean().optional().meta({
    description:
      "Whether a device can be added and removed while the guest runs. Default: true where nothing sits at the start.",
  }),
});

const upstreamPort = z.strictObject({
  upstream: identifier.meta({ description: "Id of the upstream port." }),
  ...link,
});

interface Link extends Omit<z.output<typeof upstreamPort>, "upstream"> {}

/** Its own kind may hang below it; `Port` is a downstream port as it is written or as it is read. */
export interface Switch<Port> extends Link {
  upstream: string;
  downstream: (Port & { switch?: Switch<Port> | undefined })[];
}

const switchNode: z.ZodType<
  Switch<z.output<typeof downstreamPort>>,
  Switch<z.input<typeof downstreamPort>>
> = z
  .strictObject({
    ...upstreamPort.shape,
    downstream: z
      .array(
        z.strictObject({
          ...downstreamPort.shape,
          get switch() {
            return switchNode.optional().meta({ description: "A switch below this port. Default: none." });
          },
        }),
      )
      .min(1)
      .meta({ description: "The downstream ports, each a bus for one device or another switch." }),
  })
  .meta({ id: "switch" });

const rootPort = z.strictObject({
  rootPort: identifier.meta({ description: "Id of the root port: what a device names as its bus." }),
  ...portOptions,
  ioReserve: byteSize.optional().meta({
    description:
      "I/O space reserved below. Default 0, where no device below has an I/O BAR; else the firmware's.",
  }),
  memReserve: byteSize
    .optional()
    .meta({ description: "32-bit window kept for a device that is added later. Default: the firmware's." }),
  pref64Reserve: byteSize
    .optional()
    .meta({ description: "64-bit window kept for a device that is added later. Default: the firmware's." }),
  busReserve: z.int().min(1).max(255).optional().meta({
    description: "Bus numbers kept below for bridges that are added later. Default: the firmware's.",
  }),
  ...link,
  switch: switchNode.optional().meta({ description: "A switch below this port. Default: none." }),
});

const expander = z.strictObject({
  expander: identifier.meta({ description: "Id of the expander bus (pxb-pcie)." }),
  busNr: z.int().min(1).max(255).optional().meta({ description: "Its bus number. Default: computed." }),
  numaNode: z
    .int()
    .min(0)
    .max(127)
    .optional()
    .meta({ description: "The guest NUMA cell it belongs to. Default: none." }),
  addr: slotAddress
    .optional()
    .meta({ description: "Slot on pcie.0, hexadecimal. Default: the next free one." }),
  ports: z.array(rootPort).default([]).meta({ description: "Its root ports. Default: none." }),
});

/** @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/pcie.txt */
export const pcie = z.strictObject({
  tree: z
    .array(z.union([expander, rootPort]))
    .default([])
    .meta({
      description:
        "Expander buses and root ports by hand. A device without a bus gets the port that is named rp- and its id, or one of its own. Default: none.",
    }),
  spareRootPorts: z.int().min(0).max(200).default(2).meta({
    description: "Empty root ports on pcie.0 for devices added later. Default 2.",
  }),
  spareReserve: byteSize.optional().meta({
    description:
      "64-bit window that each empty root port keeps: the sum of the prefetchable BARs of a device that comes later. Default: none, or what the firmware keeps.",
  }),
  mirror: z
    .union([
      z.boolean(),
      z.strictObject({
        expanders: z.enum(["root-complex", "node"]).default("root-complex").meta({
          description:
            "An expander bus for each of the host's root complexes, or one for each of its NUMA nodes. Default root-complex.",
        }),
      }),
    ])
    .default(false)
    .meta({
      description:
        "Whether passed-through devices without a bus hang below expander buses, root ports and switches as they do on the host. Default false.",
    }),
  topology: z.enum(["flat", "switch"]).optional().meta({
    description:
      "What passed-through devices without a bus hang on, where the host's tree is not mirrored: flat gives each a root port on pcie.0; switch puts those of one clique, else of one switch of the host, below one switch. Default: each a root port on the cell of its node.",
  }),
  mmio64: z
    .union([z.literal("auto"), byteSize])
    .default("auto")
    .meta({
      description:
        "Size of the 64-bit window for device memory. auto takes what the BARs of the devices, and what ports keep, come to. Default auto.",
    }),
});
