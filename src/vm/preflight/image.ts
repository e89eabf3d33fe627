import type { Diagnostic } from "../../errors/index.ts";
import type { NeededFile } from "../../plan/types.ts";
import { dirname, type Files, isAbsolute, join, SystemError } from "../../system/index.ts";
import { error, type FileContext } from "./context.ts";

/** Enough for the header and the name of a backing file, which stands right behind it. */
const headerBytes = 4096;

/** First bytes that tell a format. A raw image has none of its own. */
const magics: readonly (readonly [format: string, magic: string])[] = [
  ["qcow2", "QFI\u00fb"],
  ["vmdk", "KDMV"],
  ["vhdx", "vhdxfile"],
  ["vdi", "<<< "],
];

/** Whether an image is of the format that the profile says, complete, and free. */
export function checkImage(
  { system }: FileContext,
  needed: NeededFile,
  format: NonNullable<NeededFile["format"]>,
): Diagnostic[] {
  const { files } = system;
  const header = readHeader(files, needed.path);
  if (header === undefined) return [];
  const text = header.toString("latin1");
  const found = magics.find(([, magic]) => text.startsWith(magic))?.[0] ?? "raw";
  if (found !== format) {
    return [
      error("HOST_FILE_FORMAT", [...needed.profilePath.slice(0, -1), "format"], {
        found: `${needed.what}: ${needed.path} is ${found === "raw" ? "no known format, which makes it raw" : found}`,
        needed: `${format}, as the profile says`,
        fix: `write "format": "${found}"${found === "raw" || found === "qcow2" ? "" : `, after: qemu-img convert -O qcow2 ${needed.path} NEW`}`,
      }),
    ];
  }
  return [...checkBackingFile(files, needed, header, format), ...checkLocks(files, needed)];
}

function readHeader(files: Files, path: string): Buffer | undefined {
  try {
    return files.readStart(path, headerBytes);
  } catch (problem) {
    // Readable for the user that QEMU runs as, perhaps, and not for us.
    if (problem instanceof SystemError) return undefined;
    throw problem;
  }
}

/** @see https://www.qemu.org/docs/master/interop/qcow2.html (header) */
function checkBackingFile(files: Files, needed: NeededFile, header: Buffer, format: string): Diagnostic[] {
  if (format !== "qcow2" || header.length < 20) return [];
  const offset = Number(header.readBigUInt64BE(8));
  const length = header.readUInt32BE(16);
  if (offset === 0 || length === 0 || offset + length > header.length) return [];
  const name = header.toString("utf8", offset, offset + length);
  // "json:{...}" and "nbd://..." are no paths.
  if (/^[a-z+]+:/.test(name)) return [];
  const path = isAbsolute(name) ? name : join(dirname(files.realPath(needed.path) ?? needed.path), name);
  if (files.facts(path) !== undefined) return [];
  return [
    error("HOST_FILE_MISSING", needed.profilePath, {
      found: `${needed.what}: its backing file ${path} does not exist`,
      needed: "every file of the chain",
      fix: `put it back, or: qemu-img rebase -u -b NEW ${needed.path}`,
    }),
  ];
}

/** QEMU's own locks: a byte for each right it uses, and one for each that it lets nobody else use. */
const writes = 101;
const letsNobodyWrite = 201;

/** Best effort: file systems may hide locks, and so may another container. */
function checkLocks(files: Files, needed: NeededFile): Diagnostic[] {
  const inode = files.facts(needed.path)?.inode;
  const held = inode === undefined ? [] : lockedBytes(files.tryReadText("/proc/locks") ?? "", inode);
  const conflicts = needed.access === "write" ? [writes, letsNobodyWrite] : [writes];
  if (!held.some(([first, last]) => conflicts.some((byte) => first <= byte && byte <= last))) return [];
  return [
    error("HOST_FILE_BUSY", needed.profilePath, {
      found: `${needed.what}: another program has ${needed.path} open`,
      needed: needed.access === "write" ? "an image for this guest alone" : "an image that nobody writes",
      fix: "end the other VM or qemu-img; readOnly disks can be shared when they are read-only in every guest",
    }),
  ];
}

/** "1: OFDLCK ADVISORY  READ -1 fd:01:1234 100 101" @see https://man7.org/linux/man-pages/man5/proc_locks.5.html */
function lockedBytes(text: string, inode: string): [first: number, last: number][] {
  return text.split("\n").flatMap((line): [number, number][] => {
    const [, , , , , file, first, last] = line.trim().split(/\s+/);
    if (file !== inode || first === undefined || last === undefined) return [];
    return [[Number(first), last === "EOF" ? Number.POSITIVE_INFINITY : Number(last)]];
  });
}
