import * as z from "zod";
import { byteSize, identifier } from "./scalars.ts";

/**
 * Emulated devices that stand for hardware, so that a machine can be rehearsed without it. None of them does work.
 * @see https://www.qemu.org/docs/master/specs/edu.html
 */
export const standIn = z.strictObject({
  id: identifier.meta({ description: "Its id in QEMU; unique among all devices." }),
  device: z.enum(["display", "network", "nvme", "accelerator", "memory"]).meta({
    description:
      "display stands for a GPU (bochs-display), network for a NIC (e1000e), nvme for an NVMe disk without contents, accelerator for anything else (edu), memory for a device with a large BAR (ivshmem-plain).",
  }),
  bus: identifier.optional().meta({ description: "The port it sits on. Default: one of its own on pcie.0." }),
  function: z.int().min(0).max(7).default(0).meta({
    description: "Its function, where several stand-ins share a port as functions of one device. Default 0.",
  }),
  barSize: byteSize
    .optional()
    .meta({ description: "memory only: size of its BAR; a power of two. Default 1G." }),
});
