import { z } from "zod";
import { hostPath, identifier, interfaceName, macAddress, patterned } from "./scalars.ts";

const forward = patterned(/^(tcp|udp):[0-9.]*:\d{1,5}-[0-9.]*:\d{1,5}$/, {
  needed: 'a forwarding such as "tcp:127.0.0.1:2222-:22" (protocol:host:port-guest:port)',
  fix: "write tcp or udp, then the host's address and port, a dash, then the guest's",
});

/** @see https://www.qemu.org/docs/master/system/devices/net.html */
export const network = z.strictObject({
  id: identifier,
  user: z
    .strictObject({
      forward: z
        .array(forward)
        .default([])
        .meta({ description: 'Ports of the host: "tcp:127.0.0.1:2222-:22".' }),
      restrict: z
        .boolean()
        .default(false)
        .meta({ description: "Keep the guest from the network outside. Default false." }),
    })
    .optional()
    .meta({ description: "QEMU's own user-mode network; needs no rights." }),
  tap: interfaceName.optional().meta({ description: "An existing tap device." }),
  bridge: interfaceName
    .optional()
    .meta({ description: "A bridge; qemu-bridge-helper adds a tap device to it." }),
  bridgeHelper: hostPath.optional().meta({ description: "Path of qemu-bridge-helper. Default: QEMU's own." }),
  model: z.enum(["virtio", "e1000e"]).default("virtio"),
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
  boot: z.int().min(0).max(1000).optional(),
  bus: identifier.optional().meta({ description: "The port it sits on. Default: one of its own on pcie.0." }),
});
