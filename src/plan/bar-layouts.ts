import {
  alignUp,
  type Layout,
  largestAlignment,
  nextPowerOfTwo,
  type RootSpan,
  type Span,
  stackedBytes,
} from "./bar-space.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
/** Every OVMF has it, and keeps nothing for ports in it. */
export const ovmfOwnWindowBytes = 32 * gibibyte;

/**
 * OVMF. A bridge's window ends on a whole MiB and begins where its largest BAR may. A hot-plug port gets what it
 * reserves, rounded up to a power of two, else a 256th of the window, and at least what its device needs.
 *
 * @param windowBytes the 64-bit window as a whole
 * @see https://github.com/tianocore/edk2/blob/master/MdeModulePkg/Bus/Pci/PciBusDxe/PciResourceSupport.c (CalculateResourceAperture)
 * @see https://github.com/tianocore/edk2/blob/master/OvmfPkg/PciHotPlugInitDxe/PciHotPlugInit.c (GetResourcePadding)
 */
export function ovmfLayout(windowBytes: number): Layout {
  return {
    defaultBytes: windowBytes > ovmfOwnWindowBytes ? windowBytes / 256 : 0,
    window: (below, keepsBytes) => {
      const padding = keepsBytes === 0 ? 0 : nextPowerOfTwo(keepsBytes);
      return {
        bytes: Math.max(alignUp(stackedBytes(below), mebibyte), padding),
        alignment: Math.max(largestAlignment(below), padding),
      };
    },
  };
}

/**
 * One root after the other, by bus number, each at the lowest free place that fits its alignment.
 * @see https://github.com/tianocore/edk2/blob/master/MdeModulePkg/Bus/Pci/PciHostBridgeDxe/PciHostBridge.c (NotifyPhase)
 * @returns where each begins, counted from the window's beginning
 */
export function ovmfPlaces<R extends RootSpan>(roots: readonly R[]): (R & { readonly start: number })[] {
  const placed: (R & { readonly start: number })[] = [];
  for (const root of roots) {
    let start = 0;
    for (;;) {
      const inTheWay = placed.find(
        (other) => other.start < start + root.bytes && start < other.start + other.bytes,
      );
      if (!inTheWay) break;
      start = alignUp(inTheWay.start + inTheWay.bytes, root.alignment);
    }
    placed.push({ ...root, start });
  }
  return placed;
}

/** Bridge windows of SeaBIOS are no finer. */
const seabiosWindowAlignment = 2 * mebibyte;

/**
 * SeaBIOS. A bridge's window is a whole number of its largest BAR; what a port reserves is aligned no better than
 * 2 MiB, and a port that reserves nothing gets nothing.
 * @see https://github.com/coreboot/seabios/blob/master/src/fw/pciinit.c (pci_bios_check_devices)
 */
export const seabiosLayout: Layout = {
  defaultBytes: 0,
  window: (below, keepsBytes) => {
    const alignment = Math.max(seabiosWindowAlignment, largestAlignment(below));
    return { bytes: alignUp(Math.max(sum(below), keepsBytes), alignment), alignment };
  },
};

function sum(spans: readonly Span[]): number {
  return spans.reduce((bytes, span) => bytes + span.bytes, 0);
}
