import { createHash } from "node:crypto";
import { dirname, join, type System, SystemError } from "../system/index.ts";
import { readBusybox } from "./busybox.ts";
import { type CpioEntry, writeCpio } from "./cpio.ts";
import { guestPrograms } from "./guest-files.ts";
import { hostEntries, probeEntries } from "./initramfs.ts";
import { findKernel, type Kernel, kernelPayload } from "./kernel.ts";
import { unpackAll } from "./unpack.ts";

/** What a rehearsal boots: the simulated host and the guest on it. */
export interface Images {
  /** Unpacked where it could be: without KVM that saves seconds. */
  readonly kernel: string;
  readonly hostInitrd: string;
  readonly guestInitrd: string;
}

/** A file of this machine for the guest, and its place there. */
export interface GuestFile {
  readonly source: string;
  readonly target: string;
}

/** Raised when the same inputs come to something else. */
const format = 1;

const imageFile = (folder: string) => join(folder, "probe/vmlinuz");
const unpackedFile = (folder: string) => join(folder, "probe/vmlinux");
const guestInitrdFile = (folder: string) => join(folder, "probe/initrd.img");
const hostInitrdFile = (folder: string) => join(folder, "lab/initrd.img");
const stampFile = (folder: string) => join(folder, "images.json");

/**
 * Images for a rehearsal: those in $QLAUNCH_CACHE, else ${XDG_CACHE_HOME:-~/.cache}/qlaunch, when they are of this
 * program's making; else made now from a kernel, and kept there.
 * @param kernelFolder a folder with boot/ and lib/modules/; undefined takes what is there, else this system's kernel
 * @param making told before something is made: it takes a while
 * @throws QlaunchError REHEARSE_IMAGES, HOST_PROGRAM_MISSING
 */
export async function findImages(
  system: System,
  kernelFolder: string | undefined,
  making: () => void,
): Promise<Images> {
  const cache = imageFolder(system);
  const made = kernelFolder === undefined ? readImages(system, cache) : undefined;
  if (made !== undefined) return made;
  const kernel = findKernel(system, kernelFolder);
  const folder = join(cache, "kernels", hashOf(kernel.image).slice(0, 12));
  return ensureImages(system, { folder, kernel, guestFiles: [], making });
}

export interface ImageOrder {
  readonly folder: string;
  readonly kernel: Kernel;
  readonly guestFiles: readonly GuestFile[];
  readonly making: () => void;
}

/** Images in a folder, made anew when one of their inputs has changed. @throws QlaunchError */
export async function ensureImages(system: System, order: ImageOrder): Promise<Images> {
  const { folder, kernel, guestFiles, making } = order;
  const busybox = await readBusybox(system);
  const stamp = JSON.stringify({
    format,
    programs: programsHash(system),
    moduleFolder: kernel.moduleFolder,
    inputs: [kernel.image, busybox.path, ...guestFiles.map(({ source }) => source)].map((path) => {
      const facts = system.files.facts(path);
      return [path, facts?.sizeBytes, facts?.modifiedMs];
    }),
  });
  const made = readImages(system, folder);
  if (made !== undefined && system.files.tryReadText(stampFile(folder)) === stamp) return made;
  making();
  const { content, applets } = busybox;
  await writeKernel(system, folder, kernel);
  const added = guestFiles.map(
    ({ source, target }): CpioEntry => ({
      ...{ path: target.replace(/^\/+/, ""), kind: "file", mode: 0o755 },
      content: system.files.readFrom(source, 0),
    }),
  );
  const guest = [...(await probeEntries(system, kernel, content, applets)), ...added];
  write(system, guestInitrdFile(folder), writeCpio(guest));
  write(system, hostInitrdFile(folder), writeCpio(await hostEntries(system, kernel, content)));
  write(system, stampFile(folder), stamp);
  return imagesIn(system, folder);
}

/** The images in a folder, when they are of this program's making and their kernel's modules are still there. */
function readImages(system: System, folder: string): Images | undefined {
  const stamp = parseStamp(system.files.tryReadText(stampFile(folder)) ?? "");
  if (stamp?.format !== format || stamp.programs !== programsHash(system)) return undefined;
  if (system.files.facts(String(stamp.moduleFolder))?.kind !== "directory") return undefined;
  const images = imagesIn(system, folder);
  return Object.values(images).every((path) => system.files.allows(path, "read")) ? images : undefined;
}

function imagesIn(system: System, folder: string): Images {
  const unpacked = unpackedFile(folder);
  return {
    kernel: system.files.facts(unpacked) ? unpacked : imageFile(folder),
    hostInitrd: hostInitrdFile(folder),
    guestInitrd: guestInitrdFile(folder),
  };
}

async function writeKernel(system: System, folder: string, kernel: Kernel): Promise<void> {
  const image = system.files.readFrom(kernel.image, 0);
  write(system, imageFile(folder), image);
  system.files.remove(unpackedFile(folder));
  const payload = kernelPayload(image);
  if (payload === undefined) return;
  const [unpacked] = await unpackAll(system, [{ name: `kernel.${payload.format}`, content: payload.bytes }]);
  if (unpacked !== undefined) write(system, unpackedFile(folder), unpacked);
}

function write(system: System, path: string, content: string | Uint8Array): void {
  makeFolders(system, dirname(path));
  system.files.writeAtomically(path, content, 0o644);
}

function makeFolders(system: System, path: string): void {
  if (system.files.facts(path) !== undefined) return;
  makeFolders(system, dirname(path));
  try {
    system.files.makeDirectory(path, 0o755);
  } catch (error) {
    // Another rehearsal may have made it meanwhile.
    if (!(error instanceof SystemError) || error.code !== "EEXIST") throw error;
  }
}

function programsHash(system: System): string {
  const archives = (["lab", "probe"] as const).map((guest) => writeCpio(guestPrograms(system, guest)));
  return hashOf(Buffer.concat(archives));
}

const hashOf = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");

function parseStamp(
  text: string,
): { format?: unknown; programs?: unknown; moduleFolder?: unknown } | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function imageFolder({ user }: System): string {
  const { QLAUNCH_CACHE, XDG_CACHE_HOME, HOME = "/" } = user.environment;
  return QLAUNCH_CACHE || join(XDG_CACHE_HOME || join(HOME, ".cache"), "qlaunch");
}
