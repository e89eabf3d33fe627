import * as z from "zod";
import { hostPath, lineOfText, patterned } from "./scalars.ts";

/** @see https://www.qemu.org/docs/master/system/i386/pc.html */
export const machine = z.strictObject({
  type: patterned(/^(q35|pc-q35-[0-9]+\.[0-9]+([.+-][A-Za-z0-9.+-]+)?)$/, {
    needed: '"q35", or a versioned q35 machine type such as "pc-q35-7.2"',
    fix: 'write a q35 type that "qemu-system-x86_64 -machine help" lists',
  })
    .default("q35")
    .meta({
      description:
        "Machine type. A versioned one keeps the guest's hardware the same when QEMU is upgraded. Default q35.",
    }),
  accel: z.enum(["auto", "kvm", "tcg"]).default("auto").meta({
    description:
      "Accelerator. auto takes KVM only where a guest was seen to run with it, else TCG, and says so. Default auto.",
  }),
  firmware: z
    .union([
      z.literal("seabios"),
      z.strictObject({
        ovmf: z
          .strictObject({
            code: hostPath.optional().meta({
              description: "OVMF code image, mapped read-only. Default: the distribution's, by secureBoot.",
            }),
            vars: hostPath.optional().meta({
              description:
                "Template of the variable store; each VM gets its own copy. Default: the distribution's.",
            }),
            secureBoot: z.boolean().default(false).meta({
              description: "Use the image with Secure Boot, which needs SMM. Default false.",
            }),
          })
          .meta({ description: "OVMF (UEFI); {} takes the distribution's images." }),
      }),
    ])
    .default("seabios")
    .meta({ description: 'Firmware: "seabios" or {"ovmf": {}}. Default seabios.' }),
  viommu: z
    .strictObject({
      type: z
        .literal("intel")
        .default("intel")
        .meta({ description: "intel is the only one. Default intel." }),
      interruptRemapping: z
        .boolean()
        .default(true)
        .meta({ description: "Needed for more than 255 vCPUs. Default true." }),
      cachingMode: z.boolean().default(false).meta({
        description: "Let the guest's mappings be shadowed for passed-through devices. Default false.",
      }),
      addressBits: z
        .literal([39, 48])
        .default(48)
        .meta({ description: "Width of the addresses that devices use. Default 48." }),
    })
    .optional()
    .meta({ description: "An emulated Intel IOMMU for the guest. Default: none." }),
  smbios: z
    .strictObject({
      manufacturer: lineOfText.optional().meta({ description: "Default: QEMU's." }),
      product: lineOfText.optional().meta({ description: "Default: QEMU's, the machine's name." }),
      version: lineOfText.optional().meta({ description: "Default: QEMU's, the machine type." }),
      serial: lineOfText.optional().meta({ description: "Serial number. Default: none." }),
      sku: lineOfText.optional().meta({ description: "Stock-keeping unit. Default: none." }),
      family: lineOfText.optional().meta({ description: "Product family. Default: none." }),
      oemStrings: z
        .array(lineOfText)
        .default([])
        .meta({ description: "Strings for programs in the guest (type 11). Default: none." }),
    })
    .optional()
    .meta({
      description: "What the guest reads as its system information (SMBIOS types 1 and 11). Default: QEMU's.",
    }),
  rtc: z
    .strictObject({
      base: patterned(/^(utc|localtime|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)$/, {
        needed: '"utc", "localtime" or a time such as "2026-01-31T12:00:00"',
        fix: "write the start of the guest's clock in one of these forms",
      })
        .default("utc")
        .meta({ description: "What the clock shows at the start. Default utc." }),
      driftFix: z
        .enum(["none", "slew"])
        .default("none")
        .meta({ description: "slew replays lost ticks, for old Windows guests. Default none." }),
    })
    .prefault({})
    .meta({ description: "Real-time clock. Default: UTC, no drift fix." }),
  hpet: z.boolean().default(false).meta({
    description:
      "Offer the HPET timer. Default false: guests that have the TSC or kvm-clock lose time to it.",
  }),
});
