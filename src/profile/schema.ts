import * as z from "zod";
import { cpus } from "./cpus.ts";
import {
  balloon,
  console,
  display,
  fwCfg,
  guestAgent,
  kernel,
  rng,
  tpm,
  usb,
  vsock,
  watchdog,
} from "./devices.ts";
import { disk } from "./disks.ts";
import { machine } from "./machine.ts";
import { memory } from "./memory.ts";
import { network } from "./networks.ts";
import { numa } from "./numa.ts";
import { passthrough } from "./passthrough.ts";
import { pcie } from "./pcie.ts";
import { pinning } from "./pinning.ts";
import { sandbox } from "./sandbox.ts";
import { identifier, lineOfText, patterned, uuid } from "./scalars.ts";
import { filesystem } from "./shares.ts";
import { standIn } from "./stand-ins.ts";

/**
 * The profile format, version 1.
 *
 * Compatibility: a profile that a release accepts is accepted, with the same meaning, by every later release that
 * reads version 1. New keys are optional. A key changes its meaning only together with the version.
 */
export const profileSchema = z.strictObject({
  $schema: z.string().optional().meta({ description: "For editors; not read." }),
  version: z.literal(1).meta({ description: "Format of this file." }),
  name: patterned(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, {
    needed: 'a letter or digit, then up to 63 letters, digits, "_", "." or "-"',
    fix: "choose a name of these characters",
  }).meta({ description: "Name of the VM; unique on the host." }),
  description: z.string().optional().meta({ description: "Notes for people; not used. Default: none." }),
  uuid: uuid.optional().meta({ description: "Default: made once and kept while the VM exists." }),
  machine: machine
    .prefault({})
    .meta({ description: "Machine type, accelerator, firmware and clock. Default: q35 with SeaBIOS." }),
  cpus: cpus.meta({ description: "The vCPUs and their topology." }),
  memory: memory.meta({ description: "The guest's memory and what backs it on the host." }),
  numa: numa.optional().meta({ description: "Default: one cell with everything, not bound." }),
  pinning: pinning
    .prefault({})
    .meta({ description: "Host CPUs of the vCPUs and of QEMU's own threads. Default: as pinning.vcpus." }),
  pcie: pcie
    .prefault({})
    .meta({ description: "The guest's PCIe tree. Default: a root port for each device, 2 spare ones." }),
  passthrough: passthrough
    .prefault({})
    .meta({ description: "Devices of the host that the guest gets. Default: none." }),
  standIns: z
    .array(standIn)
    .default([])
    .meta({ description: "Emulated devices that stand for hardware, for rehearsals. Default: none." }),
  disks: z.array(disk).default([]).meta({ description: "Disks and CD-ROM drives. Default: none." }),
  networks: z.array(network).default([]).meta({ description: "Network interfaces. Default: none." }),
  filesystems: z
    .array(filesystem)
    .default([])
    .meta({ description: "Folders of the host that the guest can mount. Default: none." }),
  consoles: z
    .array(console)
    .prefault([{ type: "serial" }])
    .meta({ description: "Default: one serial port." }),
  rng: rng.default(true).meta({ description: "Random numbers from the host. Default true." }),
  balloon: balloon
    .default(false)
    .meta({ description: "A memory balloon. Default false: bound memory shall stay." }),
  tpm: tpm.optional().meta({ description: "An emulated TPM (swtpm). Default: none." }),
  vsock: vsock.optional().meta({ description: "A socket between host and guest. Default: none." }),
  watchdog: watchdog
    .optional()
    .meta({ description: "A timer that acts when the guest stops feeding it. Default: none." }),
  guestAgent: guestAgent
    .default(true)
    .meta({ description: "The channel of the QEMU guest agent. Default true." }),
  iothreads: z
    .array(identifier)
    .default([])
    .meta({ description: "I/O threads by id, for disks to name. Default: none." }),
  usb: usb.default(false).meta({ description: "A USB 3 controller. Default false." }),
  display: display.default("none").meta({ description: 'Default "none".' }),
  kernel: kernel.optional().meta({ description: "Boot this kernel directly. Default: what the disks hold." }),
  fwCfg: z
    .array(fwCfg)
    .default([])
    .meta({ description: "Entries of the firmware configuration device. Default: none." }),
  extraArgs: z.array(lineOfText).default([]).meta({
    description: "More QEMU arguments, passed on as they are and outside the plan's checks. Default: none.",
  }),
  sandbox: sandbox
    .prefault({})
    .meta({ description: "What QEMU may do on the host. Default: seccomp on, the caller's user." }),
});

/** A profile with every default filled in. */
export type Profile = z.output<typeof profileSchema>;
export type Disk = Profile["disks"][number];
export type Network = Profile["networks"][number];
export type MemoryDevice = Profile["memory"]["devices"][number];
export type Filesystem = Profile["filesystems"][number];
export type Console = Profile["consoles"][number];
export type NumaCell = NonNullable<NonNullable<Profile["numa"]>["cells"]>[number];
export type Passthrough = Profile["passthrough"];
export type PassthroughEntry = Passthrough["devices"][number];
export type StandIn = Profile["standIns"][number];
export type TreeNode = Profile["pcie"]["tree"][number];
export type TreeExpander = Extract<TreeNode, { expander: string }>;
export type TreeRootPort = Extract<TreeNode, { rootPort: string }>;
export type TreeSwitch = NonNullable<TreeRootPort["switch"]>;
