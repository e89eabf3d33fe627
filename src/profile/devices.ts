import * as z from "zod";
import { hostPath, identifier, lineOfText, patterned } from "./scalars.ts";

/** The key that every device on the tree has. */
const bus = identifier
  .optional()
  .meta({ description: "The port it sits on. Default: one of its own on pcie.0." });

/** Consoles and channels: what people and programs on the host talk to the guest through. */
export const console = z.strictObject({
  type: z.enum(["serial", "virtio", "channel"]).meta({
    description: "A serial port (ttyS), a virtio console (hvc), or a named virtio-serial port for programs.",
  }),
  id: identifier.optional().meta({ description: "Default: the type and a number, such as serial0." }),
  name: patterned(/^[A-Za-z0-9._-]{1,64}$/, {
    needed: "1 to 64 letters, digits, dots, dashes or underlines",
    fix: "write a name such as org.example.agent.0",
  })
    .optional()
    .meta({
      description:
        "channel only: the port's name in the guest, such as org.example.agent.0. Default: none; a channel needs one.",
    }),
});

export const rng = z.union([
  z.boolean(),
  z.strictObject({
    source: hostPath
      .default("/dev/urandom")
      .meta({ description: "Where the host's random bytes come from. Default /dev/urandom." }),
    bus,
  }),
]);

export const balloon = z.union([
  z.boolean(),
  z.strictObject({
    deflateOnOom: z
      .boolean()
      .default(true)
      .meta({ description: "Give memory back before the guest kills a process. Default true." }),
    freePageReporting: z
      .boolean()
      .default(false)
      .meta({ description: "Return the guest's free pages to the host at once. Default false." }),
    bus,
  }),
]);

export const tpm = z.strictObject({
  version: z.literal("2.0").default("2.0").meta({ description: '"2.0" is the only one. Default 2.0.' }),
  state: hostPath.optional().meta({
    description: "Folder that keeps the TPM's state between starts. Default: a new TPM at each start.",
  }),
});

export const vsock = z.strictObject({
  cid: z.int().min(3).max(0xffff_fffe).meta({ description: "The guest's address; unique on the host." }),
  bus,
});

export const watchdog = z.strictObject({
  model: z
    .enum(["i6300esb", "itco"])
    .default("itco")
    .meta({ description: "itco is part of q35, i6300esb a PCI card. Default itco." }),
  action: z
    .enum(["reset", "shutdown", "poweroff", "pause", "none"])
    .default("reset")
    .meta({ description: "What happens when it fires. Default reset." }),
});

export const guestAgent = z.union([
  z.boolean(),
  z.strictObject({
    enabled: z.boolean().default(true).meta({ description: "Default true." }),
    online: z
      .boolean()
      .default(false)
      .meta({ description: "The agent brings hot-added vCPUs and memory online. Default false." }),
  }),
]);

export const usb = z.union([
  z.boolean(),
  z.strictObject({
    tablet: z
      .boolean()
      .default(false)
      .meta({ description: "A pointer with absolute positions, for graphical guests. Default false." }),
    bus,
  }),
]);

export const display = z.union([
  z.literal("none"),
  z.strictObject({
    vnc: z
      .strictObject({
        video: z
          .enum(["std", "virtio"])
          .default("std")
          .meta({ description: "The graphics card. Default std." }),
      })
      .meta({ description: "VNC on a socket in the run directory." }),
  }),
]);

/** Direct boot. @see https://www.qemu.org/docs/master/system/linuxboot.html */
export const kernel = z.strictObject({
  image: hostPath.meta({ description: "Kernel image (bzImage)." }),
  initrd: hostPath.optional().meta({ description: "Initial RAM disk. Default: none." }),
  cmdline: lineOfText.default("").meta({ description: "The kernel's command line. Default: empty." }),
});

export const fwCfg = z.strictObject({
  name: patterned(/^opt\/[\x21-\x7e]{1,51}$/, {
    needed: 'a name that starts with "opt/", 55 characters at most, no spaces',
    fix: 'write a name such as "opt/org.example/settings"',
  }).meta({ description: "What the guest finds it by." }),
  string: lineOfText.optional().meta({ description: "Its content. Give this or file." }),
  file: hostPath.optional().meta({ description: "File of the host with its content. Give this or string." }),
});
