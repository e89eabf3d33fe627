import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { renderArgv } from "../../src/argv/index.ts";
import { type Plan, planVm, type QemuOption } from "../../src/plan/index.ts";
import type { Profile } from "../../src/profile/index.ts";
import { placesFor } from "../../src/vm/index.ts";
import { goldenHost } from "./cases.ts";

const mebibyte = 2 ** 20;
const cellBytes = 64 * mebibyte;
/** Memory devices on Linux come in blocks of this size. */
const deviceBytes = 128 * mebibyte;

/**
 * The command line of a golden as any machine can start it: TCG, little memory, host node 0, files below `root`.
 * @returns undefined when the profile does not fit the host
 */
export function startablePlan(profile: Profile, host: string, root: string): Plan | undefined {
  const result = planVm({
    profile: scaledProfile(profile, root),
    host: goldenHost(host),
    ledger: [],
    places: placesFor(join(root, "run"), profile.name),
  });
  if (!result.ok) return undefined;
  const plan = result.value;
  return { ...plan, options: plan.options.flatMap((option) => startableOption(option) ?? []) };
}

export function startableArgv(plan: Plan): string[] {
  return renderArgv(plan);
}

/** Without KVM, and with 64 MiB a cell; everything else as it is. */
function scaledProfile(profile: Profile, root: string): Profile {
  const { machine, cpus, memory, numa, kernel } = profile;
  const cells = numa?.cells?.map((cell) => ({ ...cell, memory: cell.memory > 0 ? cellBytes : 0 }));
  const size = cells?.reduce((sum, cell) => sum + cell.memory, 0) ?? cellBytes;
  const devices = memory.devices.map((device) => ({
    ...device,
    size: deviceBytes,
    ...(device.requested === undefined ? {} : { requested: deviceBytes / 2 }),
  }));
  const { pageSize: _, ...ordinary } = memory;
  const inside = <Value extends string | undefined>(path: Value) => (path && join(root, path)) as Value;
  return {
    ...profile,
    machine: {
      ...machine,
      accel: "tcg",
      ...(typeof machine.firmware === "object"
        ? {
            firmware: {
              ovmf: {
                ...machine.firmware.ovmf,
                code: join(root, machine.firmware.ovmf.code ?? "/code.fd"),
                vars: join(root, machine.firmware.ovmf.vars ?? "/vars.fd"),
              },
            },
          }
        : {}),
    },
    cpus: {
      ...cpus,
      model: cpus.model === "host" ? "max" : cpus.model,
      // QEMU 7.2 without KVM stops at APIC id 254.
      ...((cpus.max ?? 0) > 255
        ? { max: 144, topology: { sockets: 2, dies: 2, cores: 18, threads: 2 } }
        : {}),
    },
    memory: {
      ...ordinary,
      size,
      devices,
      ...(memory.max === undefined ? {} : { max: size + 8 * deviceBytes }),
      ...(memory.path === undefined ? {} : { path: inside(memory.path) }),
    },
    ...(numa && cells ? { numa: { ...numa, cells } } : {}),
    // A window for GPUs is beyond the addresses of a processor without KVM.
    pcie: { ...profile.pcie, mmio64: "auto" },
    disks: profile.disks.map((disk) => ({
      ...disk,
      file: disk.file.startsWith("/dev/") ? disk.file : inside(disk.file),
    })),
    filesystems: profile.filesystems.map((share) => ({ ...share, path: inside(share.path) })),
    fwCfg: profile.fwCfg.map((entry) =>
      entry.file === undefined ? entry : { ...entry, file: inside(entry.file) },
    ),
    rng:
      typeof profile.rng === "object" ? { ...profile.rng, source: inside(profile.rng.source) } : profile.rng,
    ...(kernel
      ? {
          kernel: {
            ...kernel,
            image: inside(kernel.image),
            ...(kernel.initrd === undefined ? {} : { initrd: inside(kernel.initrd) }),
          },
        }
      : {}),
  };
}

/** Something that a machine without the hardware or the rights cannot start, and what stands in its place. */
interface Replacement {
  readonly reason: string;
  /** Properties that the golden has and the start has not; real QEMU is asked whether it knows them. */
  readonly device?: { readonly driver: string; readonly properties: readonly string[] };
  readonly schema?: {
    readonly command: string;
    readonly branch: string;
    readonly properties: readonly string[];
  };
  /** undefined: not this one. An empty list leaves the option out. */
  replace(option: QemuOption): readonly QemuOption[] | undefined;
}

export const replacements: Readonly<Record<string, Replacement>> = {
  "netdev tap": {
    reason: "needs a tap device, or a bridge, its helper and rights",
    schema: {
      command: "netdev_add",
      branch: "tap",
      properties: ["ifname", "script", "downscript", "queues", "vhost", "br", "helper"],
    },
    replace: (option) =>
      option.option === "netdev" && option.type === "tap"
        ? [{ ...option, type: "hubport", properties: { hubid: 0 } }]
        : undefined,
  },
  "vhost-vsock-pci": {
    reason: "needs /dev/vhost-vsock",
    device: { driver: "vhost-vsock-pci", properties: ["guest-cid"] },
    replace: (option) => inPlaceOf(option, "vhost-vsock-pci"),
  },
  "vfio-pci": {
    reason: "needs the device, an IOMMU and rights",
    device: {
      driver: "vfio-pci",
      properties: [
        "addr",
        "multifunction",
        "host",
        "rombar",
        "x-pci-vendor-id",
        "x-pci-device-id",
        "x-nv-gpudirect-clique",
      ],
    },
    replace: (option) => inPlaceOf(option, "vfio-pci"),
  },
  "vhost-user-fs-pci": {
    reason: "needs virtiofsd at the other end",
    device: { driver: "vhost-user-fs-pci", properties: ["chardev", "tag"] },
    replace: (option) => inPlaceOf(option, "vhost-user-fs-pci"),
  },
  "chardev of a helper": {
    reason: "connects to virtiofsd or swtpm, which do not run",
    replace: (option) =>
      option.option === "chardev" &&
      option.properties.path !== undefined &&
      option.properties.server === undefined
        ? [{ ...option, backend: "null", properties: {} }]
        : undefined,
  },
  tpm: {
    reason: "needs swtpm at the other end",
    device: { driver: "tpm-crb", properties: ["tpmdev"] },
    replace: (option) =>
      option.option === "tpmdev" || (option.option === "device" && option.driver === "tpm-crb")
        ? []
        : undefined,
  },
  host_device: {
    reason: "needs a block device",
    schema: { command: "blockdev-add", branch: "host_device", properties: ["filename", "aio"] },
    replace: (option) =>
      option.option === "blockdev" && option.driver === "host_device"
        ? [{ ...option, driver: "null-co", properties: {} }]
        : undefined,
  },
  "host-nodes": {
    reason: "this machine may have node 0 alone",
    replace: (option) => {
      if (option.option !== "object") return undefined;
      const nodes = option.properties["host-nodes"];
      const affinity = option.properties["node-affinity"];
      if (nodes === undefined && affinity === undefined) return undefined;
      return [
        {
          ...option,
          properties: {
            ...option.properties,
            ...(nodes === undefined ? {} : { "host-nodes": [0] }),
            ...(affinity === undefined ? {} : { "node-affinity": [0] }),
          },
        },
      ];
    },
  },
  "huge pages": {
    reason: "this machine may have none; the profile is planned without them",
    schema: { command: "object-add", branch: "memory-backend-memfd", properties: ["hugetlb", "hugetlbsize"] },
    replace: () => undefined,
  },
  "mem-lock": {
    reason: "needs rights, and would lock TCG's gigabyte of translations",
    replace: (option) =>
      option.option === "overcommit" ? [{ ...option, properties: { "mem-lock": false } }] : undefined,
  },
};

function startableOption(option: QemuOption): readonly QemuOption[] {
  for (const replacement of Object.values(replacements)) {
    const replaced = replacement.replace(option);
    if (replaced) return replaced;
  }
  return [option];
}

/** A device that needs nothing, in the same place. */
function inPlaceOf(option: QemuOption, driver: string): readonly QemuOption[] | undefined {
  if (option.option !== "device" || option.driver !== driver) return undefined;
  const { bus, addr, multifunction } = option.properties;
  return [{ ...option, driver: "pci-testdev", properties: { bus, addr, multifunction } }];
}

/** Makes every file that the plan names. */
export function makeFiles(plan: Plan, makeQcow2: (path: string) => void): void {
  const { run } = plan;
  mkdirSync(dirname(run.pidFile), { recursive: true });
  for (const { path, kind, format, what } of run.files) {
    if (path.startsWith("/dev/")) continue;
    mkdirSync(kind === "directory" ? path : dirname(path), { recursive: true });
    if (kind === "directory") continue;
    if (format === "qcow2") makeQcow2(path);
    else if (what === "kernel image") writeFileSync(path, kernelImage());
    else sized(path, what.startsWith("OVMF") ? 2 * mebibyte : mebibyte);
  }
  for (const { target } of run.copies) sized(target, 2 * mebibyte);
  for (const option of plan.options) {
    if (option.option !== "object") continue;
    const { filename, "mem-path": memPath } = option.properties;
    if (typeof memPath === "string") mkdirSync(memPath, { recursive: true });
    if (typeof filename !== "string" || filename.startsWith("/dev/")) continue;
    mkdirSync(dirname(filename), { recursive: true });
    sized(filename, mebibyte);
  }
}

function sized(path: string, bytes: number): void {
  writeFileSync(path, "");
  truncateSync(path, bytes);
}

/**
 * As much of a bzImage as QEMU looks at before the guest runs.
 * @see https://docs.kernel.org/arch/x86/boot.html
 */
function kernelImage(): Buffer {
  const image = Buffer.alloc(16 * 1024);
  image[0x1f1] = 1;
  image.write("HdrS", 0x202);
  image.writeUInt16LE(0x020c, 0x206);
  image[0x211] = 1;
  image.writeUInt32LE(0x7fff_ffff, 0x22c);
  image.writeUInt32LE(2047, 0x238);
  return image;
}
