import { z } from "zod";
import { byteSize, identifier, slotAddress } from "./scalars.ts";

const portOptions = {
  addr: slotAddress
    .optional()
    .meta({ description: 'Slot and function on its bus, hexadecimal: "1.0". Default: packed.' }),
  chassis: z.int().min(1).max(255).optional(),
  slot: z.int().min(1).max(255).optional(),
  hotplug: z.boolean().default(true),
};

const switchNode = z.strictObject({
  upstream: identifier.meta({ description: "Id of the upstream port." }),
  downstream: z
    .array(z.strictObject({ port: identifier, ...portOptions }))
    .min(1)
    .max(32)
    .meta({ description: "The downstream ports, each a bus for one device." }),
});

const rootPort = z.strictObject({
  rootPort: identifier.meta({ description: "Id of the root port: what a device names as its bus." }),
  ...portOptions,
  ioReserve: byteSize
    .prefault(0)
    .meta({ description: "I/O space reserved below. Default 0: PCIe devices need none." }),
  memReserve: byteSize.optional(),
  pref64Reserve: byteSize
    .optional()
    .meta({ description: "64-bit window kept for a device that is added later." }),
  busReserve: z.int().min(1).max(255).optional(),
  speed: z.enum(["2_5", "5", "8", "16", "32", "64"]).optional().meta({ description: "Link speed in GT/s." }),
  width: z.literal([1, 2, 4, 8, 12, 16, 32]).optional().meta({ description: "Link width in lanes." }),
  switch: switchNode.optional(),
});

const expander = z.strictObject({
  expander: identifier.meta({ description: "Id of the expander bus (pxb-pcie)." }),
  busNr: z.int().min(1).max(255).optional().meta({ description: "Its bus number. Default: computed." }),
  numaNode: z.int().min(0).max(127).optional().meta({ description: "The guest NUMA cell it belongs to." }),
  addr: slotAddress.optional(),
  ports: z.array(rootPort).default([]),
});

/** @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/pcie.txt */
export const pcie = z.strictObject({
  tree: z
    .array(z.union([expander, rootPort]))
    .default([])
    .meta({
      description: "Expander buses and root ports by hand. Devices without a bus get ports of their own.",
    }),
  spareRootPorts: z.int().min(0).max(200).default(2).meta({
    description: "Empty root ports on pcie.0 for devices added later. Default 2.",
  }),
  mmio64: z
    .union([z.literal("auto"), byteSize])
    .default("auto")
    .meta({
      description:
        "Size of the 64-bit window for device memory. auto leaves it to the firmware. Default auto.",
    }),
});
