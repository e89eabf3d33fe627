import { errorNumbers } from "./error-numbers.ts";
import { accessBits, calls, type FileStatus, fileTypeBits, openFlags } from "./file-calls.ts";
import { findLine, findLineFrom } from "./lines.ts";
import { nodeFiles } from "./node-files.ts";
import { dirname, join } from "./paths.ts";
import { type FileFacts, type Files, SystemError } from "./system.ts";
import { asSystemError, guard, may, must } from "./system-error.ts";
import { toBytes, toText } from "./text.ts";

/** Files that were written under another name, by this program: what makes such a name its own. */
let written = 0;

/** The real file system. */
export const files: Files = {
  readText: (path) => must(readText(path), "open", path),
  tryReadText: (path) => may(readText(path)),
  async tryReadTextAside(path) {
    try {
      return await nodeFiles().promises.readFile(path, "utf8");
    } catch (error) {
      if (asSystemError(error) instanceof SystemError) return undefined;
      throw error;
    }
  },
  findLine,
  findLineFrom,
  readStart: (path, bytes) => readPart(path, 0, bytes),
  tryReadTextStart: (path, bytes) => may(readTextStart(path, bytes)),
  readPart,
  readFrom: (path, offset) =>
    readPart(path, offset, Math.max(0, must(calls.status(path), "stat", path).sizeBytes - offset)),
  list: (path) => may(calls.list(path))?.sort(),
  readLink: (path) => may(calls.readLink(path)),
  realPath: (path) => may(calls.realPath(path)),
  facts: (path, options) => {
    const status = may(calls.status(path, options?.followLinks));
    return status && factsOf(status);
  },
  allows: (path, access) => calls.access(path, accessBits[access]) === 0,
  opens: (path) => withOpen(path, openFlags.readWrite, () => 0) === 0,
  writeAtomically(path, content, mode = 0o600) {
    const temporary = join(dirname(path), `.${process.pid}.${Date.now()}.${written++}.tmp`);
    const { write, create, exclusive } = openFlags;
    try {
      const result = withOpen(temporary, write | create | exclusive, (it) => writeAll(it, content), mode);
      must(result, "write", temporary);
      must(calls.rename(temporary, path), "rename", temporary, path);
    } catch (error) {
      calls.unlink(temporary);
      throw error;
    }
  },
  write(path, text) {
    const bytes = toBytes(text);
    must(
      withOpen(path, openFlags.write, (it) => calls.write(it, bytes)),
      "write",
      path,
    );
  },
  writePart(path, offset, bytes) {
    must(
      withOpen(path, openFlags.write, (it) => calls.write(it, bytes, offset)),
      "write",
      path,
    );
  },
  openAppend(path) {
    const { write, create, append } = openFlags;
    const descriptor = must(calls.open(path, write | create | append, 0o600), "open", path);
    return {
      write: (text) => must(writeAll(descriptor, text), "write", path),
      close: () => void must(calls.close(descriptor), "close", path),
    };
  },
  makeDirectory(path, mode) {
    must(calls.makeDirectory(path, mode), "mkdir", path);
    // mkdir's mode is narrowed by the umask; a private directory must be exactly what was asked.
    must(calls.changeMode(path, mode), "chmod", path);
  },
  changeOwner: (path, uid, gid) => guard(() => nodeFiles().lchownSync(path, uid, gid)),
  changeMode: (path, mode) => void must(calls.changeMode(path, mode), "chmod", path),
  copy: (source, target, mode) =>
    guard(() => {
      nodeFiles().copyFileSync(source, target);
      nodeFiles().chmodSync(target, mode);
    }),
  remove(path) {
    const result = calls.unlink(path);
    if (result === 0 || result === -errorNumbers.ENOENT) return;
    guard(() => nodeFiles().rmSync(path, { recursive: true, force: true }));
  },
};

/** @returns the work's result, or the error's number when it does not open */
function withOpen<T>(
  path: string,
  flags: number,
  work: (descriptor: number) => T,
  mode?: number,
): T | number {
  const descriptor = calls.open(path, flags, mode);
  if (descriptor < 0) return descriptor;
  try {
    return work(descriptor);
  } finally {
    calls.close(descriptor);
  }
}

/** Most files are smaller. What is not written to takes no memory. */
let room: Uint8Array | undefined;
const roomBytes = 65_536;

/** What a file has: sysfs does not say how much that is. */
function readText(path: string): string | number {
  return withOpen(path, openFlags.read, (descriptor) => {
    room ??= new Uint8Array(roomBytes);
    let [bytes, end] = [room, 0];
    for (;;) {
      const count = calls.read(descriptor, bytes.subarray(end));
      if (count < 0) return count;
      if (count === 0) return toText(bytes.subarray(0, end));
      end += count;
      if (end === bytes.length) {
        const larger = new Uint8Array(2 * end);
        larger.set(bytes);
        bytes = larger;
      }
    }
  });
}

function readTextStart(path: string, bytes: number): string | number {
  const start = new Uint8Array(bytes);
  const count = withOpen(path, openFlags.read, (descriptor) => calls.read(descriptor, start));
  return count < 0 ? count : toText(start.subarray(0, count));
}

function readPart(path: string, offset: number, bytes: number): Buffer {
  const part = Buffer.alloc(bytes);
  const count = withOpen(path, openFlags.read, (descriptor) =>
    calls.read(descriptor, part, offset === 0 ? undefined : offset),
  );
  return part.subarray(0, must(count, "read", path));
}

/** @returns how many bytes it was, or the error's number */
function writeAll(descriptor: number, content: string | Uint8Array): number {
  const bytes = typeof content === "string" ? toBytes(content) : content;
  for (let written = 0; written < bytes.length; ) {
    const count = calls.write(descriptor, bytes.subarray(written));
    if (count < 0) return count;
    written += count;
  }
  return bytes.length;
}

function factsOf(status: FileStatus): FileFacts {
  const { mode, uid, gid, sizeBytes, modifiedMs, inode, device } = status;
  return {
    kind: kinds.get(mode & fileTypeBits) ?? "file",
    sizeBytes,
    mode: mode & 0o7777,
    uid,
    gid,
    modifiedMs,
    inode: `${hexByte(device.major)}:${hexByte(device.minor)}:${inode}`,
  };
}

const hexByte = (value: number) => value.toString(16).padStart(2, "0");

/** @see https://man7.org/linux/man-pages/man7/inode.7.html */
const kinds = new Map<number, FileFacts["kind"]>([
  [0o010000, "fifo"],
  [0o020000, "character"],
  [0o040000, "directory"],
  [0o060000, "block"],
  [0o120000, "link"],
  [0o140000, "socket"],
]);
