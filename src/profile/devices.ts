import { z } from "zod";
import { hostPath, identifier, lineOfText, patterned } from "./scalars.ts";

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
    .meta({ description: "channel only: the port's name in the guest, such as org.example.agent.0." }),
});

export const rng = z.union([
  z.boolean(),
  z.strictObject({ source: hostPath.default("/dev/urandom"), bus: identifier.optional() }),
]);

export const balloon = z.union([
  z.boolean(),
  z.strictObject({
    deflateOnOom: z.boolean().default(true),
    freePageReporting: z.boolean().default(false),
    bus: identifier.optional(),
  }),
]);

export const tpm = z.strictObject({
  version: z.literal("2.0").default("2.0"),
  state: hostPath.optional().meta({
    description: "Folder that keeps the TPM's state between starts. Default: a new TPM at each start.",
  }),
});

export const vsock = z.strictObject({
  cid: z.int().min(3).max(0xffff_fffe).meta({ description: "The guest's address; unique on the host." }),
  bus: identifier.optional(),
});

export const watchdog = z.strictObject({
  model: z.enum(["i6300esb", "itco"]).default("itco"),
  action: z.enum(["reset", "shutdown", "poweroff", "pause", "none"]).default("reset"),
});

export const guestAgent = z.union([z.boolean(), z.strictObject({ enabled: z.boolean().default(true) })]);

export const usb = z.union([
  z.boolean(),
  z.strictObject({ tablet: z.boolean().default(false), bus: identifier.optional() }),
]);

export const display = z.union([
  z.literal("none"),
  z.strictObject({
    vnc: z.strictObject({
      video: z.enum(["std", "virtio"]).default("std"),
    }),
  }),
]);

/** Direct boot. @see https://www.qemu.org/docs/master/system/linuxboot.html */
export const kernel = z.strictObject({
  image: hostPath,
  initrd: hostPath.optional(),
  cmdline: lineOfText.default(""),
});

export const fwCfg = z.strictObject({
  name: patterned(/^opt\/[\x21-\x7e]{1,51}$/, {
    needed: 'a name that starts with "opt/", 55 characters at most, no spaces',
    fix: 'write a name such as "opt/org.example/settings"',
  }),
  string: lineOfText.optional(),
  file: hostPath.optional(),
});
