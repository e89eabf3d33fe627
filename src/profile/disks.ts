import * as z from "zod";
import { hostPath, identifier, patterned } from "./scalars.ts";

/** @see https://www.qemu.org/docs/master/system/qemu-block-drivers.html */
export const disk = z.strictObject({
  id: identifier.meta({ description: "Its name in the plan and in QEMU; unique in the profile." }),
  file: hostPath.meta({ description: "Image file or block device." }),
  format: z
    .enum(["raw", "qcow2"])
    .meta({ description: "Never guessed: a guest could write another format's header." }),
  device: z
    .enum(["virtio-blk", "virtio-scsi", "nvme", "sata", "cdrom"])
    .default("virtio-blk")
    .meta({ description: "What the guest sees. Default virtio-blk." }),
  readOnly: z.boolean().optional().meta({ description: "Default: true for cdrom, else false." }),
  cache: z.enum(["none", "writeback", "writethrough", "directsync", "unsafe"]).default("none").meta({
    description: "Host page cache and flushes. Default none: no second copy in the host's page cache.",
  }),
  discard: z
    .enum(["unmap", "ignore"])
    .default("unmap")
    .meta({ description: "unmap gives blocks that the guest trims back to the host. Default unmap." }),
  aio: z.enum(["threads", "native", "io_uring"]).optional().meta({
    description: "How the host does I/O. Default: native with cache none or directsync, else threads.",
  }),
  iothread: identifier.optional().meta({
    description: "The I/O thread that serves it (virtio-blk, virtio-scsi). Default: the emulator's.",
  }),
  queues: z
    .int()
    .min(1)
    .max(1024)
    .optional()
    .meta({ description: "Queues of a virtio disk. Default: one for each vCPU at boot." }),
  boot: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .meta({ description: "Place in the boot order; lowest first. Default: after those that have one." }),
  serial: patterned(/^[\x20-\x7e]{1,20}$/, {
    needed: "1 to 20 printable ASCII characters",
    fix: "shorten the serial number, or leave the key out",
  })
    .optional()
    .meta({ description: "Serial number that the guest reads. Default: the id." }),
  bus: identifier.optional().meta({ description: "The port it sits on. Default: one of its own on pcie.0." }),
});
