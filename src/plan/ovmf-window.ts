import { describeByteSize } from "../units/index.ts";
import { type AddressSpace, hyperTransportStart } from "./address-space.ts";
import { ovmfLayout, ovmfOwnWindowBytes, ovmfPlaces } from "./bar-layouts.ts";
import { alignUp, type BarRoot, defaultKeepers, nextPowerOfTwo, rootSpans, sumOfBars } from "./bar-space.ts";

const gibibyte = 2 ** 30;
const tebibyte = 2 ** 40;
/** OVMF ignores an option that asks for more. */
export const ovmfMostBytes = 16 * tebibyte;
/** With page tables of four levels, OVMF reaches no further. */
const ovmfMostBits = 46;

/** What the devices need of a window of some size; hot-plug ports keep more of a larger one. */
export interface WindowNeed {
  readonly bytes: number;
  /** The sum, one term each. */
  readonly terms: readonly string[];
}

/** A window in the guest's address space. */
export interface PlacedWindow {
  readonly bytes: number;
  readonly start: number;
  readonly end: number;
  /** Where addresses end that OVMF can use. */
  readonly limit: number;
  readonly limitBits: number;
}

/** What the devices need of a window of this size. */
export function ovmfNeed(roots: readonly BarRoot[], windowBytes: number): WindowNeed {
  const layout = ovmfLayout(windowBytes);
  const places = ovmfPlaces(rootSpans(roots, layout));
  const nodes = roots.flatMap((root) => root.nodes);
  const keepers = defaultKeepers(nodes);
  return {
    bytes: Math.max(0, ...places.map(({ start, bytes }) => start + bytes)),
    terms: [
      `the 64-bit BARs come to ${gib(sumOfBars(nodes))}`,
      ...(layout.defaultBytes > 0 && keepers > 0
        ? [
            `${keepers} hot-plug ports keep ${gib(nextPowerOfTwo(layout.defaultBytes))} each, or what their device needs`,
          ]
        : []),
      ...places.map(
        ({ id, bytes, alignment, start }) =>
          `${id} takes ${gib(bytes)}, aligned to ${gib(alignment)}, from ${gib(start)} of the window on`,
      ),
    ],
  };
}

/**
 * A window, by eighths of its largest power of two, that has room for what the devices need of it. On AMD it moves
 * beyond the range below 1 TiB that is for HyperTransport.
 * @returns undefined when OVMF has none that is large enough
 */
export function ovmfWindowBytes(roots: readonly BarRoot[], space: AddressSpace): number | undefined {
  let bytes = ovmfOwnWindowBytes;
  for (;;) {
    const need = ovmfNeed(roots, bytes).bytes;
    if (need > ovmfMostBytes) return undefined;
    if (need > bytes) {
      bytes = Math.min(withHeadroom(need), ovmfMostBytes);
      continue;
    }
    const { start, end } = placeWindow(bytes, space);
    const isInTheWay = space.isAmd && start < tebibyte && end > hyperTransportStart;
    const moved = placeWindow(tebibyte, space);
    if (bytes === ovmfOwnWindowBytes || !isInTheWay || moved.end > moved.limit) return bytes;
    bytes = tebibyte;
  }
}

/** OVMF puts the window behind memory, at a multiple of the largest power of two in its size. */
export function placeWindow(bytes: number, { roomEnd, bits }: AddressSpace): PlacedWindow {
  const limitBits = Math.min(bits, ovmfMostBits);
  const size = alignUp(bytes, gibibyte);
  const start = alignUp(roomEnd, largestPower(size));
  return { bytes, start, end: start + size, limit: 2 ** limitBits, limitBits };
}

/** Exact to a hundredth, so that a sum can be followed. */
export function gib(bytes: number): string {
  return bytes < gibibyte ? describeByteSize(bytes) : `${Number((bytes / gibibyte).toFixed(2))} GiB`;
}

/** A sixteenth for what is not counted, such as small BARs of QEMU's own devices. */
function withHeadroom(bytes: number): number {
  const more = bytes + bytes / 16;
  return alignUp(more, largestPower(more) / 8);
}

function largestPower(bytes: number): number {
  return 2 ** Math.floor(Math.log2(bytes));
}
