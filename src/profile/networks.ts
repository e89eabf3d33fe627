import * as z from "zod";
import { hostPath, identifier, interfaceName, macAddress, patterned } from "./scalars.ts";

const forward = patterned(/^(tcp|udp):[0-9.]*:\d{1,5}-[0-9.]*:\d{1,5}$/, {
  needed: 'a forwarding such as "tcp:127.0.0.1:2222-:22" (protocol:host:port-guest:port)',
  fix: "write tcp or udp, then the host's address and port, a dash, then the guest's",
});

/** @see https://www.qemu.org/docs/master/system/devices/net.html */
export const network = z.strictObject({
  id: identifier.meta({ description: "Its name in the plan and in QEMU; unique in the profile." }),
  user: z
    .strictObject({
      forward: z.array(forward).default([]).meta({
        description: 'Ports of the host that lead to the guest: "tcp:127.0.0.1:2222-:22". Default: none.',
      }),
      restrict: z
        .boolean()
        .default(false)
        .meta({ description: "Keep the guest from the network outside. Default false." }),
    })
    .optional()
    .meta({ description: "QEMU's own user-mode network; needs no rights. Give this, tap or bridge." }),
  tap: interfaceName.optional().meta({ description: "An existing tap device. Give this, user or bridge." }),
  bridge: interfaceName
    .optional()
    .meta({ description: "A bridge; qemu-bridge-helper adds a tap device to it. Give this, user or tap." }),
  bridgeHelper: hostPath.optional().meta({ description: "Path of qemu-bridge-helper. Default: QEMU's own." }),
  model: z
    .enum(["virtio", "e1000e"])
    .default("virtio")
    .meta({ description: "What the guest sees. Default virtio." }),
  mac: macAddress
    .optional()
    .meta({ description: "Default: derived from the VM's name and the id, so it stays." }),
  queues: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .meta({ description: "Queue pairs; more than 1 with tap only. Default 1." }),
  vhost: z
    .boolean()
    .optional()
    .meta({ description: "Serve it in the kernel. Default: true with tap and bridge under KVM." }),
  boot: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .meta({ description: "Place in the boot order; lowest first. Default: after those that have one." }),
  bus: identifier.optional().meta({ description: "The port it sits on. Default: one of its own on pcie.0." }),
});
