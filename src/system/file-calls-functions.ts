import { openCLibrary } from "./c-library.ts";
import { errorNumbers } from "./error-numbers.ts";
import type { FileCalls, FileStatus } from "./file-calls.ts";
import { toText, writeBytes } from "./text.ts";

/** @see https://man7.org/linux/man-pages/man2/open.2.html */
const closeOnExec = 0o2000000;
const folderOnly = process.arch === "arm64" ? 0o40000 : 0o200000;

/** PATH_MAX, the zero at its end included. @see https://man7.org/linux/man-pages/man3/realpath.3.html */
const pathBytes = 4096;
/** Of the names in a folder that are asked for at once: one of 255 bytes has to fit, or a path. */
const answerBytes = 8192;

/** @see https://man7.org/linux/man-pages/man2/statx.2.html */
const statxHere = -100;
const statxNoFollow = 0x100;
const statxEmptyPath = 0x1000;
const statxBasic = 0x7ff;
const statxBytes = 256;

/** @returns undefined where this runtime cannot call functions of the C library */
export function fileCallsByFunctions(): FileCalls | undefined {
  const library = openCLibrary();
  if (library === undefined) return undefined;

  // One for all calls: what one answers is read before the next is made.
  const memory = new ArrayBuffer(2 * pathBytes + answerBytes);
  const place = library.pointerTo(new Uint8Array(memory));
  const name = pathArgument(new Uint8Array(memory, 0, pathBytes), place);
  const newName = pathArgument(new Uint8Array(memory, pathBytes, pathBytes), place + pathBytes);
  const answer = new Uint8Array(memory, 2 * pathBytes);
  const answerPointer = place + 2 * pathBytes;
  const statusWords = new Uint32Array(memory, 2 * pathBytes, statxBytes / 4);

  /** The call's result, or its error; again when a signal came in between. */
  const ask = (call: () => number): number => {
    for (;;) {
      const result = call();
      if (result !== -1) return result;
      const error = library.errorNumber();
      if (error !== errorNumbers.EINTR) return -error;
    }
  };
  const askOf = (path: string, call: (path: number) => number): number => {
    const error = name.set(path);
    return error === 0 ? ask(() => call(name.pointer)) : -error;
  };
  const open = (path: string, flags: number, mode = 0) =>
    askOf(path, (pointer) => library.common.open(pointer, flags | closeOnExec, mode));
  // It is closed whatever the call says, so that asking again might close what another one opened since.
  const close = (descriptor: number) => (library.common.close(descriptor) === 0 ? 0 : -library.errorNumber());

  return {
    open,
    close,
    read(descriptor, bytes, offset) {
      if (bytes.length === 0) return 0;
      const to = library.pointerTo(bytes);
      return ask(() =>
        offset === undefined
          ? library.common.read(descriptor, to, bytes.length)
          : library.rare.pread(descriptor, to, bytes.length, offset),
      );
    },
    write(descriptor, bytes, offset) {
      if (bytes.length === 0) return 0;
      const from = library.pointerTo(bytes);
      return ask(() =>
        offset === undefined
          ? library.common.write(descriptor, from, bytes.length)
          : library.rare.pwrite(descriptor, from, bytes.length, offset),
      );
    },
    truncate: (descriptor) => ask(() => library.common.ftruncate(descriptor, 0)),
    status(file, followLinks = true) {
      const result =
        typeof file === "number"
          ? askOf("", (none) => library.common.statx(file, none, statxEmptyPath, statxBasic, answerPointer))
          : askOf(file, (path) =>
              library.common.statx(
                statxHere,
                path,
                followLinks ? 0 : statxNoFollow,
                statxBasic,
                answerPointer,
              ),
            );
      return result < 0 ? result : statusOf(statusWords);
    },
    list(path) {
      const descriptor = open(path, folderOnly);
      if (descriptor < 0) return descriptor;
      const names: string[] = [];
      try {
        for (;;) {
          const count = ask(() => library.common.getdents64(descriptor, answerPointer, answerBytes));
          if (count < 0) return count;
          if (count === 0) return names;
          names.push(...namesIn(answer.subarray(0, count)));
        }
      } finally {
        close(descriptor);
      }
    },
    readLink(path) {
      const count = askOf(path, (pointer) => library.rare.readlink(pointer, answerPointer, answerBytes));
      return count < 0 ? count : toText(answer.subarray(0, count));
    },
    realPath(path) {
      const result = askOf(path, (pointer) => (library.rare.realpath(pointer, answerPointer) === 0 ? -1 : 0));
      return result < 0 ? result : toText(answer.subarray(0, answer.indexOf(0)));
    },
    access: (path, access) => askOf(path, (pointer) => library.rare.access(pointer, access)),
    makeDirectory: (path, mode) => askOf(path, (pointer) => library.rare.mkdir(pointer, mode)),
    changeMode: (path, mode) => askOf(path, (pointer) => library.rare.chmod(pointer, mode)),
    rename(from, to) {
      const error = newName.set(to);
      return error === 0 ? askOf(from, (pointer) => library.common.rename(pointer, newName.pointer)) : -error;
    },
    unlink: (path) => askOf(path, (pointer) => library.common.unlink(pointer)),
  };
}

/** A path as the C library wants it, one after another in the same place. */
function pathArgument(bytes: Uint8Array, pointer: number) {
  return {
    pointer,
    /** @returns 0, or the number of what the kernel would say; to it, a path would end at its first zero */
    set(path: string): number {
      if (path.includes("\0")) return errorNumbers.EINVAL;
      const { read, written } = writeBytes(path, bytes);
      if (read < path.length || written === bytes.length) return errorNumbers.ENAMETOOLONG;
      bytes[written] = 0;
      return 0;
    },
  };
}

/** The structure that statx gives, by words of four bytes; both processors that Bun runs on have the low one first. */
const statusOf = (words: Uint32Array): FileStatus => ({
  mode: word(words, 7) & 0xffff,
  uid: word(words, 5),
  gid: word(words, 6),
  sizeBytes: longWord(words, 10),
  modifiedMs: longWord(words, 28) * 1000 + word(words, 30) / 1e6,
  inode: longWord(words, 8),
  device: { major: word(words, 34), minor: word(words, 35) },
  represents: { major: word(words, 32), minor: word(words, 33) },
});

const word = (words: Uint32Array, index: number) => words[index] as number;
const longWord = (words: Uint32Array, index: number) => word(words, index) + word(words, index + 1) * 2 ** 32;

/** Where an entry has its length and its name, which ends with a zero. @see https://man7.org/linux/man-pages/man2/getdents.2.html */
const entryLengthAt = 16;
const entryNameAt = 19;

function namesIn(entries: Uint8Array): string[] {
  const names: string[] = [];
  for (let at = 0; at < entries.length; ) {
    const begin = at + entryNameAt;
    const name = toText(entries.subarray(begin, entries.indexOf(0, begin)));
    if (name !== "." && name !== "..") names.push(name);
    at += (entries[at + entryLengthAt] as number) + (entries[at + entryLengthAt + 1] as number) * 256;
  }
  return names;
}
