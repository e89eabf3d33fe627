import * as z from "zod";
import type { JsonPath } from "../errors/index.ts";
import { pciClasses } from "./pci-classes.ts";
import { hexId, hostPath, identifier, patterned, pciAddress } from "./scalars.ts";

const classNames = Object.keys(pciClasses).join(", ");

const selector = z.strictObject({
  vendor: hexId.optional().meta({ description: 'Vendor id, such as "10de". Default: any.' }),
  device: hexId.optional().meta({ description: 'Device id, such as "2335". Default: any.' }),
  class: patterned(
    new RegExp(`^(${Object.keys(pciClasses).join("|")}|[0-9a-f]{2}|[0-9a-f]{4}|[0-9a-f]{6})$`),
    {
      needed: `one of ${classNames}, or two, four or six hexadecimal digits of a PCI class`,
      fix: 'write a name such as "3d", or the first digits that "lspci -n" shows',
    },
  )
    .optional()
    .meta({ description: `${classNames}, or the class's first digits, such as "0302". Default: any.` }),
  numaNode: z
    .int()
    .min(0)
    .max(1023)
    .optional()
    .meta({ description: "The host's NUMA node that it is on. Default: any." }),
});

const clique = z.union([z.enum(["auto", "none"]), z.int().min(0).max(15)]);
const attach = z.enum(["pcie", "pci"]);

const options = {
  id: identifier.optional().meta({
    description:
      "Its id in QEMU; with a selector, a number follows. Default: made from its class and a number.",
  }),
  bus: identifier.optional().meta({
    description:
      "The port it sits on. Default: by pcie.mirror or pcie.topology, else one of its own on the cell of its node.",
  }),
  clique: clique.optional().meta({ description: "P2P clique of a GPU. Default: passthrough.clique." }),
  attach: attach.optional().meta({
    description:
      "For what comes along with it; for the device itself when nothing does. Default: passthrough.attach.",
  }),
  rom: z.boolean().default(true).meta({
    description: "Show the guest the device's expansion ROM. Default true.",
  }),
  identity: z
    .strictObject({
      vendor: hexId.meta({ description: "Vendor id that the guest sees." }),
      device: hexId.meta({ description: "Device id that the guest sees." }),
    })
    .optional()
    .meta({ description: "Other ids than the device's own, for stand-ins. Default: its own." }),
};

const device = z.union([
  z.strictObject({
    address: pciAddress.meta({ description: 'One function by its address, such as "0000:19:00.0".' }),
    ...options,
  }),
  z.strictObject({
    select: selector.meta({
      description: "Every function that fits all of these, in the order of the addresses.",
    }),
    ...options,
  }),
]);

/** A device of a CDI file: an entry of `devices`, or what is missing in one. */
export interface AnnotatedDevice {
  /** As CDI has it: "nvidia.com/gpu=gpu0". */
  readonly name: string;
  /** "0000:41:00.0" */
  readonly address: string;
  /** Where the profile names the file. */
  readonly path: JsonPath;
  /** Counts for GPUs alone. */
  readonly clique?: number;
  /** pci puts the device itself behind a bridge. */
  readonly attach?: "pcie" | "pci";
}

/** Devices of the host that the guest gets. @see https://docs.kernel.org/driver-api/vfio.html */
export const passthrough = z.strictObject({
  devices: z.array(device).default([]).meta({ description: "By address, or by selector. Default: none." }),
  cdi: z.array(hostPath).default([]).meta({
    description:
      "CDI files (YAML or JSON) whose devices the guest gets as well, by the annotations bdf, clique-id and attach-pci; what an entry of devices says of one comes first. Default: none.",
  }),
  clique: clique.default("none").meta({
    description:
      "P2P cliques of NVIDIA GPUs: auto where the host's topology allows it, none, or one number for all. Default none.",
  }),
  group: z.enum(["strict", "whole"]).default("strict").meta({
    description:
      "Other devices in the IOMMU group of one that is named: strict refuses and names them, whole takes them along. Default strict.",
  }),
  attach: attach.default("pcie").meta({
    description:
      "Companions that come along (the audio or USB function of a GPU): pcie beside their device, pci behind one bridge so that they cost no port. Default pcie.",
  }),
  backend: z.enum(["auto", "legacy", "iommufd"]).default("auto").meta({
    description:
      "How QEMU reaches VFIO: auto is the legacy container, through which devices reach each other's memory (P2P) on every kernel. Default auto.",
  }),
});
