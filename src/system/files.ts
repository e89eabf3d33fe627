import fs from "node:fs";
import { dirname, join } from "node:path";
import { deviceMajor, deviceMinor } from "./device-number.ts";
import { findLine, findLineFrom } from "./lines.ts";
import { type FileFacts, type Files, SystemError } from "./system.ts";
import { asSystemError, attempt, guard } from "./system-error.ts";

/** The real file system. */
export const files: Files = {
  readText: (path) => guard(() => fs.readFileSync(path, "utf8")),
  tryReadText: (path) => attempt(() => fs.readFileSync(path, "utf8")),
  async tryReadTextAside(path) {
    try {
      return await fs.promises.readFile(path, "utf8");
    } catch (error) {
      if (asSystemError(error) instanceof SystemError) return undefined;
      throw error;
    }
  },
  findLine,
  findLineFrom,
  readStart: (path, bytes) => guard(() => readBytes(path, 0, bytes)),
  tryReadTextStart: (path, bytes) => attempt(() => readTextStart(path, bytes)),
  readPart: (path, offset, bytes) => guard(() => readBytes(path, offset, bytes)),
  readFrom: (path, offset) =>
    guard(() => readBytes(path, offset, Math.max(0, fs.statSync(path).size - offset))),
  list: (path) => attempt(() => fs.readdirSync(path).sort()),
  readLink: (path) => attempt(() => fs.readlinkSync(path)),
  realPath: (path) => attempt(() => fs.realpathSync(path)),
  facts: (path, options) =>
    attempt(() => describe(options?.followLinks === false ? fs.lstatSync(path) : fs.statSync(path))),
  allows: (path, access) => attempt(() => fs.accessSync(path, accessBits[access]) ?? true) ?? false,
  opens: (path) => attempt(() => fs.closeSync(fs.openSync(path, "r+")) ?? true) ?? false,
  writeAtomically: (path, content, mode = 0o600) =>
    guard(() => {
      const temporary = join(dirname(path), `.${process.pid}.${Math.random()}.tmp`);
      try {
        fs.writeFileSync(temporary, content, { mode, flag: "wx" });
        fs.renameSync(temporary, path);
      } catch (error) {
        fs.rmSync(temporary, { force: true });
        throw error;
      }
    }),
  write: (path, text) =>
    guard(() => {
      const descriptor = fs.openSync(path, fs.constants.O_WRONLY);
      try {
        fs.writeSync(descriptor, text);
      } finally {
        fs.closeSync(descriptor);
      }
    }),
  writePart: (path, offset, bytes) =>
    guard(() => {
      const descriptor = fs.openSync(path, fs.constants.O_WRONLY);
      try {
        fs.writeSync(descriptor, bytes, 0, bytes.length, offset);
      } finally {
        fs.closeSync(descriptor);
      }
    }),
  openAppend: (path) => {
    const descriptor = guard(() => fs.openSync(path, "a", 0o600));
    return {
      write: (text) => guard(() => fs.writeSync(descriptor, text)),
      close: () => guard(() => fs.closeSync(descriptor)),
    };
  },
  makeDirectory: (path, mode) =>
    guard(() => {
      fs.mkdirSync(path, { mode });
      // mkdir's mode is narrowed by the umask; a private directory must be exactly what was asked.
      fs.chmodSync(path, mode);
    }),
  changeOwner: (path, uid, gid) => guard(() => fs.lchownSync(path, uid, gid)),
  changeMode: (path, mode) => guard(() => fs.chmodSync(path, mode)),
  copy: (source, target, mode) =>
    guard(() => {
      fs.copyFileSync(source, target);
      fs.chmodSync(target, mode);
    }),
  remove: (path) => guard(() => fs.rmSync(path, { recursive: true, force: true })),
};

const accessBits = { read: fs.constants.R_OK, write: fs.constants.W_OK, execute: fs.constants.X_OK };

function readTextStart(path: string, bytes: number): string {
  const descriptor = fs.openSync(path, "r");
  try {
    const start = new Uint8Array(bytes);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      start.subarray(0, fs.readSync(descriptor, start, 0, bytes, 0)),
    );
  } finally {
    fs.closeSync(descriptor);
  }
}

function readBytes(path: string, offset: number, bytes: number): Buffer {
  const descriptor = fs.openSync(path, "r");
  try {
    const buffer = Buffer.alloc(bytes);
    return buffer.subarray(0, fs.readSync(descriptor, buffer, 0, bytes, offset));
  } finally {
    fs.closeSync(descriptor);
  }
}

function describe(stats: fs.Stats): FileFacts {
  return {
    kind: kindOf(stats),
    sizeBytes: stats.size,
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
    modifiedMs: stats.mtimeMs,
    inode: `${hexByte(deviceMajor(stats.dev))}:${hexByte(deviceMinor(stats.dev))}:${stats.ino}`,
  };
}

const hexByte = (value: number) => value.toString(16).padStart(2, "0");

function kindOf(stats: fs.Stats): FileFacts["kind"] {
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "link";
  if (stats.isSocket()) return "socket";
  if (stats.isBlockDevice()) return "block";
  if (stats.isCharacterDevice()) return "character";
  if (stats.isFIFO()) return "fifo";
  return "file";
}
