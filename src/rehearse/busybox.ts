import { refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { needProgram } from "./unpack.ts";

/** Every program of a small guest in one file. */
export interface Busybox {
  readonly path: string;
  readonly content: Buffer;
  /** Names that it answers to, but its own. */
  readonly applets: readonly string[];
}

const debian = "busybox-static";

/** @throws QlaunchError HOST_PROGRAM_MISSING */
export async function readBusybox(system: System): Promise<Busybox> {
  const path = needProgram(system, "busybox", debian);
  const content = system.files.readFrom(path, 0);
  if (needsLoader(content)) {
    throw refusal("HOST_PROGRAM_MISSING", {
      found: `${path} needs shared libraries`,
      needed: "a busybox that runs alone: it is all that a guest of a rehearsal has",
      fix: `install it (Debian: apt-get install ${debian})`,
    });
  }
  const { stdout } = await system.processes.run(path, ["--list"]);
  return { path, content, applets: stdout.split("\n").filter((name) => name !== "" && name !== "busybox") };
}

const programHeaderBytes = 56;
const interpreterType = 3;

/** Whether a 64-bit ELF file names a loader (PT_INTERP). @see https://man7.org/linux/man-pages/man5/elf.5.html */
export function needsLoader(elf: Buffer): boolean {
  if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) return true;
  const start = Number(elf.readBigUInt64LE(0x20));
  const count = elf.readUInt16LE(0x38);
  return Array.from({ length: count }, (_, index) => start + index * programHeaderBytes).some(
    (offset) => offset + 4 <= elf.length && elf.readUInt32LE(offset) === interpreterType,
  );
}
