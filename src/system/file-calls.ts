import { fileCallsByFunctions } from "./file-calls-functions.ts";
import { fileCallsByNode } from "./file-calls-node.ts";

/**
 * The kernel's calls on files. Each gives what the call gives, or the negative number of its error, as the kernel does: a
 * file that is not there is an answer like others.
 * @see https://man7.org/linux/man-pages/man2/syscalls.2.html
 */
export interface FileCalls {
  /** @param mode of a file that is made @returns a descriptor, which programs that are started do not get */
  open(path: string, flags: number, mode?: number): number;
  close(descriptor: number): number;
  /** @param offset default: where the last one ended @returns how many bytes were read into `bytes`, 0 at the end */
  read(descriptor: number, bytes: Uint8Array, offset?: number): number;
  /** @param offset default: where the last one ended @returns how many were written, which may be fewer */
  write(descriptor: number, bytes: Uint8Array, offset?: number): number;
  truncate(descriptor: number): number;
  /** Of a name or an open file. @param followLinks default true */
  status(file: string | number, followLinks?: boolean): FileStatus | number;
  /** Names in a folder, in any order. */
  list(path: string): string[] | number;
  readLink(path: string): string | number;
  /** The path with every link resolved. */
  realPath(path: string): string | number;
  /** Whether this user may do so, or what speaks against it. @param access sum of `accessBits` */
  access(path: string, access: number): number;
  makeDirectory(path: string, mode: number): number;
  changeMode(path: string, mode: number): number;
  rename(from: string, to: string): number;
  unlink(path: string): number;
}

export interface FileStatus {
  /** Type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly inode: number;
  readonly device: DeviceNumber;
  /** Of a device's node, which device it is. */
  readonly represents: DeviceNumber;
}

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

/** Linux's, on x86 as on ARM. @see https://man7.org/linux/man-pages/man2/open.2.html */
export const openFlags = {
  read: 0,
  write: 0o1,
  readWrite: 0o2,
  create: 0o100,
  exclusive: 0o200,
  append: 0o2000,
} as const;

/** @see https://man7.org/linux/man-pages/man2/access.2.html */
export const accessBits = { read: 4, write: 2, execute: 1 } as const;

/** @see https://man7.org/linux/man-pages/man7/inode.7.html */
export const fileTypeBits = 0o170000;

/** By functions of the C library where the runtime can call them: Node's module takes a fifteenth of a live command to load. */
export const calls: FileCalls = fileCallsByFunctions() ?? fileCallsByNode;
