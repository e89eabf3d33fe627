import { join, type System } from "../system/index.ts";
import type { CpioEntry } from "./cpio.ts";
import { guestPrograms } from "./guest-files.ts";
import { type Kernel, noKernel, readModuleIndex } from "./kernel.ts";
import { moduleFiles, moduleName, partialIndex, unpackedPath } from "./modules.ts";
import { unpackAll } from "./unpack.ts";

/** What the simulated host's root file system needs; the rest is loaded from there. In the order of loading. */
const hostModules = ["virtio_pci", "9p", "9pnet_virtio", "overlay"];

/** What is loaded from there: KVM, VFIO and the ports by which it talks. */
const laterModules = ["virtio_console", "kvm_amd", "vfio_pci", "vfio_iommu_type1"];

/** What the devices of a QEMU machine ask for. */
const probeModules = [
  ...[
    "virtio_pci",
    "virtio_console",
    "virtio_blk",
    "virtio_net",
    "virtio_scsi",
    "virtio_rng",
    "virtio_balloon",
  ],
  ...["virtio_mem", "vmw_vsock_virtio_transport", "9p", "9pnet_virtio", "virtiofs", "nvme", "ahci", "sd_mod"],
  ...["sr_mod", "e1000e", "qemu_fw_cfg", "i6300esb", "button", "evdev"],
];

/** A module's file in a kernel's folder, and what is in it unpacked. */
interface ModuleFile {
  readonly path: string;
  readonly content: Buffer;
}

/** The simulated host: makes the machine outside its root file system. @throws QlaunchError */
export async function hostEntries(system: System, kernel: Kernel, busybox: Buffer): Promise<CpioEntry[]> {
  const { files } = moduleFiles(checkedIndex(system, kernel), hostModules);
  const modules = await readModules(system, kernel, files);
  const names = modules.map(({ path }) => `${moduleName(path)}.ko`);
  return [
    ...["dev", "proc", "sys"].map((path): CpioEntry => ({ path, kind: "folder" })),
    ...modules.map(({ content }, position) => file(`modules/${names[position]}`, content)),
    file("modules/order", lines(names)),
    // Where the simulated host finds the rest.
    file("module-folder", lines([kernel.moduleFolder])),
    ...busyboxEntries(busybox, ["sh", "mount", "insmod", "mkdir", "cp", "poweroff", "switch_root"]),
    ...guestPrograms(system, "lab"),
  ];
}

/** The probe guest: loads drivers and tells what it sees. @throws QlaunchError */
export async function probeEntries(
  system: System,
  kernel: Kernel,
  busybox: Buffer,
  applets: readonly string[],
): Promise<CpioEntry[]> {
  const index = checkedIndex(system, kernel);
  const { files } = moduleFiles(index, probeModules);
  const folder = `lib/modules/${kernel.release}`;
  const modules = await readModules(system, kernel, files);
  const part = partialIndex(index.dep, index.alias, files);
  return [
    ...["dev", "proc", "sys", "tmp", "run"].map((path): CpioEntry => ({ path, kind: "folder" })),
    ...modules.map(({ path, content }) => file(`${folder}/${unpackedPath(path)}`, content)),
    file(`${folder}/modules.dep`, Buffer.from(part.dep)),
    file(`${folder}/modules.alias`, Buffer.from(part.alias)),
    // An NVMe disk shows once, below its PCI device, instead of twice and below neither.
    file("etc/modprobe.conf", lines(["options nvme_core multipath=N"])),
    ...busyboxEntries(busybox, applets),
    // The kernel itself calls this one, for file systems that are not there yet.
    { path: "sbin/modprobe", kind: "link", target: "../bin/busybox" },
    ...guestPrograms(system, "probe"),
  ];
}

function busyboxEntries(busybox: Buffer, applets: readonly string[]): CpioEntry[] {
  return [
    { path: "bin/busybox", kind: "file", mode: 0o755, content: busybox },
    ...applets.map((name): CpioEntry => ({ path: `bin/${name}`, kind: "link", target: "busybox" })),
  ];
}

async function readModules(
  system: System,
  { moduleFolder }: Kernel,
  paths: readonly string[],
): Promise<ModuleFile[]> {
  const packed = paths.map((path) => ({ name: path, content: join(moduleFolder, path) }));
  const contents = await unpackAll(system, packed);
  return contents.map((content, index) => ({ path: paths[index] ?? "", content }));
}

/** The kernel's modules, of which none that either guest needs is missing. @throws QlaunchError REHEARSE_IMAGES */
function checkedIndex(system: System, kernel: Kernel): ReturnType<typeof readModuleIndex> {
  const index = readModuleIndex(system, kernel);
  const { missing } = moduleFiles(index, [...new Set([...hostModules, ...laterModules, ...probeModules])]);
  if (missing.length > 0) throw noKernel(`kernel ${kernel.release} has no ${missing.join(", ")}`);
  return index;
}

const file = (path: string, content: Buffer): CpioEntry => ({ path, kind: "file", mode: 0o644, content });
const lines = (texts: readonly string[]) => Buffer.from(texts.map((text) => `${text}\n`).join(""));
