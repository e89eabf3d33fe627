import { type Files, SystemError } from "../system/index.ts";
import type { PciFunction } from "./topology.ts";

/** What the config space of a function tells. */
export interface ConfigFacts extends Pick<PciFunction, "link" | "acs" | "ats"> {
  /** Device or port type of the PCI Express capability; absent for conventional PCI. */
  readonly portType?: number;
}

/** Read in pieces: each word is a question to the hardware, and most functions need a tenth of their 4 KiB. */
const pieceBytes = 64;

/** Capability lists are chains; a broken one may be a ring. */
const mostCapabilities = 96;

/**
 * The kernel gives all of it to root only, and 64 bytes to others.
 * @returns undefined when there is too little, or the function does not answer (all bits set)
 * @see https://docs.kernel.org/PCI/sysfs-pci.html
 * @see https://github.com/torvalds/linux/blob/master/include/uapi/linux/pci_regs.h
 */
export function readConfig(files: Files, path: string): ConfigFacts | undefined {
  const space = openSpace(files, path);
  // Virtual functions have no vendor id here, so the status tells who is dead. The first pointer to a capability is in
  // the 64 bytes, what it points to is not.
  const status = space.word(0x06);
  if (status === undefined || status === 0xffff || space.word(pieceBytes) === undefined) return undefined;
  const express = findCapability(space, 0x10);
  if (express === undefined) return {};
  const extended = extendedCapabilities(space);
  const acs = acsAt(space, extended.get(0x0d));
  const ats = extended.get(0x0f);
  const link = linkOf(space, express);
  return {
    portType: ((space.word(express + 2) ?? 0) >> 4) & 0xf,
    ...(link === undefined ? {} : { link }),
    ...(acs === undefined ? {} : { acs: { capability: acs.capability, control: acs.control } }),
    ...(ats === undefined ? {} : { ats: ((space.word(ats + 6) ?? 0) & 0x8000) !== 0 }),
  };
}

/** Access Control Services of a port or function, and where its control register is. */
export interface AcsAt extends NonNullable<PciFunction["acs"]> {
  readonly controlOffset: number;
}

/** @returns undefined for a function without, and where config space is closed */
export function readAcs(files: Files, path: string): AcsAt | undefined {
  const space = openSpace(files, path);
  return acsAt(space, extendedCapabilities(space).get(0x0d));
}

function acsAt(space: Space, offset: number | undefined): AcsAt | undefined {
  if (offset === undefined) return undefined;
  const controlOffset = offset + 6;
  return { capability: space.word(offset + 4) ?? 0, control: space.word(controlOffset) ?? 0, controlOffset };
}

/** GT/s by the number that registers have for a speed. */
const speeds = [0, 2.5, 5, 8, 16, 32, 64];

/** The registers of capabilities and status have speed and width at the same bits. */
function linkOf(space: Space, express: number): PciFunction["link"] {
  const speedAt = (offset: number) => speeds[(space.word(express + offset) ?? 0) & 0xf] ?? 0;
  const widthAt = (offset: number) => ((space.word(express + offset) ?? 0) >> 4) & 0x3f;
  const [maxSpeed, maxWidth] = [speedAt(0x0c), widthAt(0x0c)];
  if (maxSpeed === 0 || maxWidth === 0) return undefined;
  // A link that is down has a width of 0, and some speed.
  const width = widthAt(0x12);
  return { maxSpeed, maxWidth, speed: width === 0 ? 0 : speedAt(0x12), width };
}

interface Space {
  /** 16 bits at an even offset; undefined beyond what may be read. */
  word(offset: number): number | undefined;
}

function openSpace(files: Files, path: string): Space {
  const pieces = new Map<number, Buffer>();
  const pieceAt = (start: number): Buffer => {
    const known = pieces.get(start);
    if (known !== undefined) return known;
    const piece = readPiece(files, path, start);
    pieces.set(start, piece);
    return piece;
  };
  return {
    word: (offset) => {
      const within = offset % pieceBytes;
      const piece = pieceAt(offset - within);
      return piece.length >= within + 2 ? piece.readUInt16LE(within) : undefined;
    },
  };
}

function readPiece(files: Files, path: string, start: number): Buffer {
  try {
    return files.readPart(path, start, pieceBytes);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return Buffer.alloc(0);
  }
}

/** The offset of a capability in the first 256 bytes. */
function findCapability(space: Space, id: number): number | undefined {
  const hasList = ((space.word(0x06) ?? 0) & 0x10) !== 0;
  let offset = hasList ? (space.word(0x34) ?? 0) & 0xfc : 0;
  for (let seen = 0; offset >= 0x40 && seen < mostCapabilities; seen++) {
    const header = space.word(offset) ?? 0;
    if ((header & 0xff) === id) return offset;
    offset = (header >> 8) & 0xfc;
  }
  return undefined;
}

/** Offsets of the capabilities from 256 on, by id. */
function extendedCapabilities(space: Space): ReadonlyMap<number, number> {
  const found = new Map<number, number>();
  let offset = 0x100;
  for (let seen = 0; offset >= 0x100 && seen < mostCapabilities; seen++) {
    const id = space.word(offset) ?? 0;
    if (id === 0 || id === 0xffff) break;
    if (!found.has(id)) found.set(id, offset);
    offset = ((space.word(offset + 2) ?? 0) >> 4) & 0xffc;
  }
  return found;
}
