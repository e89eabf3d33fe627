import { type QlaunchError, refusal } from "../errors/index.ts";
import { join, type System } from "../system/index.ts";
import type { ModuleIndex } from "./modules.ts";

/** A kernel that guests can boot, with its modules. */
export interface Kernel {
  readonly release: string;
  /** The compressed image. */
  readonly image: string;
  readonly moduleFolder: string;
}

const imageStart = "vmlinuz-";

/**
 * The kernel in a folder with boot/ and lib/modules/, as a package of one unpacks; without a folder this system's own.
 * @throws QlaunchError REHEARSE_IMAGES
 */
export function findKernel(system: System, folder: string | undefined): Kernel {
  const root = folder ?? "/";
  const running = system.files.tryReadText("/proc/sys/kernel/osrelease")?.trim() ?? "";
  const images = (system.files.list(join(root, "boot")) ?? []).filter((name) => name.startsWith(imageStart));
  const releases = images.map((name) => name.slice(imageStart.length));
  const candidates =
    folder === undefined ? releases.filter((release) => release === running) : releases.reverse();
  for (const release of candidates) {
    const moduleFolder = [join(root, "lib/modules", release), join(root, "usr/lib/modules", release)].find(
      (path) => system.files.facts(path)?.kind === "directory",
    );
    const image = join(root, "boot", `${imageStart}${release}`);
    if (moduleFolder !== undefined && system.files.allows(image, "read"))
      return { release, image, moduleFolder };
  }
  throw noKernel(
    folder === undefined
      ? `this system has no readable kernel ${running} with modules in /boot and /lib/modules`
      : `${folder} has no kernel with its modules`,
  );
}

/** @throws QlaunchError REHEARSE_IMAGES */
export function readModuleIndex(
  system: System,
  { moduleFolder }: Kernel,
): ModuleIndex & { readonly alias: string } {
  const read = (name: string) => system.files.tryReadText(join(moduleFolder, name));
  const dep = read("modules.dep");
  if (dep === undefined || dep === "") throw noKernel(`${moduleFolder} has no modules.dep`);
  return { dep, builtin: read("modules.builtin") ?? "", alias: read("modules.alias") ?? "" };
}

export function noKernel(found: string): QlaunchError {
  return refusal("REHEARSE_IMAGES", {
    found,
    needed: "a generic kernel and its modules: the simulated host and the guest on it boot it",
    fix: 'unpack one and name it with --kernel (Debian: apt-get download the package that linux-image-amd64 depends on, "dpkg -x PACKAGE FOLDER", "depmod -b FOLDER RELEASE")',
  });
}

/** How an image's kernel is packed, by its first bytes. */
const formats = [
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: "zst", magic: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: "gz", magic: [0x1f, 0x8b] },
] as const;

export interface Payload {
  readonly bytes: Buffer;
  readonly format: (typeof formats)[number]["name"];
}

const setupSignature = "HdrS";
const sectorBytes = 512;
/** The unpacked size stands behind it, except behind gzip's, which ends with its own. */
const sizeBytes = 4;

/**
 * The packed kernel inside a bzImage; undefined where it is packed in a way that is not known here.
 * @see https://docs.kernel.org/arch/x86/boot.html (payload_offset, payload_length)
 */
export function kernelPayload(image: Buffer): Payload | undefined {
  if (image.length < 0x250 || image.toString("latin1", 0x202, 0x206) !== setupSignature) return undefined;
  const start = ((image[0x1f1] || 4) + 1) * sectorBytes + image.readUInt32LE(0x248);
  const bytes = image.subarray(start, start + image.readUInt32LE(0x24c));
  const format = formats.find(({ magic }) => magic.every((byte, index) => bytes[index] === byte))?.name;
  if (format === undefined) return undefined;
  return { format, bytes: format === "gz" ? bytes : bytes.subarray(0, -sizeBytes) };
}
