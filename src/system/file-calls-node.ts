import type { Stats } from "node:fs";
import { deviceMajor, deviceMinor } from "./device-number.ts";
import { errorNumbers } from "./error-numbers.ts";
import type { FileCalls, FileStatus } from "./file-calls.ts";
import { nodeFiles } from "./node-files.ts";

/** By Node's own module. */
export const fileCallsByNode: FileCalls = {
  open: (path, flags, mode) => numbered(() => nodeFiles().openSync(path, flags, mode)),
  close: (descriptor) => numbered(() => nodeFiles().closeSync(descriptor)),
  read: (descriptor, bytes, offset) =>
    numbered(() => nodeFiles().readSync(descriptor, bytes, 0, bytes.length, offset ?? null)),
  write: (descriptor, bytes, offset) =>
    numbered(() => nodeFiles().writeSync(descriptor, bytes, 0, bytes.length, offset ?? null)),
  truncate: (descriptor) => numbered(() => nodeFiles().ftruncateSync(descriptor)),
  status: (file, followLinks = true) =>
    numbered(() => {
      const fs = nodeFiles();
      if (typeof file === "number") return statusOf(fs.fstatSync(file));
      return statusOf(followLinks ? fs.statSync(file) : fs.lstatSync(file));
    }),
  list: (path) => numbered(() => nodeFiles().readdirSync(path)),
  readLink: (path) => numbered(() => nodeFiles().readlinkSync(path)),
  // Otherwise ".." would be taken before links are.
  realPath: (path) => numbered(() => nodeFiles().realpathSync.native(path)),
  access: (path, access) => numbered(() => nodeFiles().accessSync(path, access)),
  makeDirectory: (path, mode) => numbered(() => void nodeFiles().mkdirSync(path, mode)),
  changeMode: (path, mode) => numbered(() => nodeFiles().chmodSync(path, mode)),
  rename: (from, to) => numbered(() => nodeFiles().renameSync(from, to)),
  unlink: (path) => numbered(() => nodeFiles().unlinkSync(path)),
};

/** The work's result, 0 for none, or the negative number of the error that it threw. */
function numbered<T>(work: () => T): Exclude<T, void> | number {
  try {
    return (work() ?? 0) as Exclude<T, void> | number;
  } catch (error) {
    const { errno, code } = error as NodeJS.ErrnoException;
    if (errno !== undefined) return errno;
    // A path with a zero in it, which the kernel would not see whole.
    if (code === "ERR_INVALID_ARG_VALUE") return -errorNumbers.EINVAL;
    throw error;
  }
}

const statusOf = (stats: Stats): FileStatus => ({
  mode: stats.mode,
  uid: stats.uid,
  gid: stats.gid,
  sizeBytes: stats.size,
  modifiedMs: stats.mtimeMs,
  inode: stats.ino,
  device: deviceNumber(stats.dev),
  represents: deviceNumber(stats.rdev),
});

const deviceNumber = (device: number) => ({ major: deviceMajor(device), minor: deviceMinor(device) });
