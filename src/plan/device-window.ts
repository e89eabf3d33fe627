import { describeByteSize, formatByteSize } from "../units/index.ts";
import type { AddressSpace } from "./address-space.ts";
import { ovmfOwnWindowBytes, seabiosLayout } from "./bar-layouts.ts";
import { alignUp, type BarRoot, barTree, type RootSpan, rootSpans } from "./bar-space.ts";
import type { Draft } from "./draft.ts";
import type { QemuOption } from "./options.ts";
import {
  gib,
  ovmfMostBytes,
  ovmfNeed,
  ovmfWindowBytes,
  type PlacedWindow,
  placeWindow,
} from "./ovmf-window.ts";
import type { PlannedDevice } from "./types.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const path = ["pcie", "mmio64"];

/** What follows from the window elsewhere. */
export interface DeviceWindow {
  /** The devices need more than the window that every firmware has. */
  readonly isLarge: boolean;
  /**
   * Where the addresses of 64-bit BARs end at most: OVMF may take the end of all addresses for a window of its own.
   * Undefined for a window that cannot be.
   */
  readonly end: number | undefined;
}

/**
 * The 64-bit window for the memory of PCI devices: the profile's, or as large as the BARs and what ports keep come to
 * in the firmware's own way of laying them out.
 *
 * OVMF reads its size in decimal MiB. Builds before 2022.11 take what is written, those up to 2025.02 as the least,
 * newer ones exactly: too small leaves BARs without addresses, and one beyond the address space hangs all of them.
 *
 * @param options the devices and ports, as they are spelled
 * @see https://github.com/tianocore/edk2/blob/master/OvmfPkg/Library/PlatformInitLib/MemDetect.c
 */
export function planDeviceWindow(
  draft: Draft,
  space: AddressSpace,
  devices: readonly PlannedDevice[],
  options: readonly QemuOption[],
): DeviceWindow {
  const roots = barTree(devices, options, barBytesOf(draft));
  const { mmio64 } = draft.profile.pcie;
  const isOvmf = draft.profile.machine.firmware !== "seabios";
  const isLarge = ovmfNeed(roots, ovmfOwnWindowBytes).bytes > ovmfOwnWindowBytes;
  if (mmio64 !== "auto") return { isLarge, end: planGivenWindow(draft, space, roots, mmio64, isOvmf) };
  return { isLarge, end: (isOvmf ? planOvmfWindow : planSeabiosWindow)(draft, space, roots) };
}

/** The 64-bit prefetchable BARs of a device; those of QEMU's own devices are small. */
function barBytesOf({ host, profile }: Draft): (device: PlannedDevice) => readonly number[] {
  const functions = new Map((host.pci ?? []).map((fn) => [fn.address, fn]));
  const standIns = new Map(
    profile.standIns.flatMap(({ id, device, barSize = gibibyte }) =>
      device === "memory" ? [[id, barSize] as const] : [],
    ),
  );
  return ({ id, hostAddress }) => {
    if (hostAddress === undefined) return [standIns.get(id) ?? mebibyte];
    const bars = functions.get(hostAddress)?.bars ?? [];
    return bars.flatMap(({ kind, prefetchable, sizeBytes }) =>
      kind === "mem64" && prefetchable ? [sizeBytes] : [],
    );
  };
}

/** @returns where it ends at most */
function planOvmfWindow(draft: Draft, space: AddressSpace, roots: readonly BarRoot[]): number | undefined {
  const bytes = ovmfWindowBytes(roots, space);
  if (bytes === undefined) {
    const most = ovmfNeed(roots, ovmfMostBytes);
    draft.refuse("HOST_ADDRESS_BITS", path, {
      found: `devices and ports that need a 64-bit window of ${gib(most.bytes)}: ${most.terms.join("; ")}`,
      needed: `${describeByteSize(ovmfMostBytes)} or less: OVMF takes no more`,
      fix: 'pass fewer devices through, or write "hotplug": false for ports that stay as they are',
    });
    return undefined;
  }
  if (bytes === ovmfOwnWindowBytes) {
    decideOwn(draft, "The BARs, and what ports keep, fit the 32 GiB that every OVMF has.");
    return placeWindow(bytes, space).limit;
  }
  const need = ovmfNeed(roots, bytes);
  const placed = placeWindow(bytes, space);
  draft.add(
    windowOption(
      bytes,
      decideWindow(draft, bytes, [
        ...need.terms,
        `in all ${gib(need.bytes)}, rounded up to ${gib(bytes)}`,
        ...placeFacts(draft, space, placed),
      ]),
    ),
  );
  checkPlace(draft, space, placed);
  return placed.limit;
}

/** SeaBIOS makes the window of what it finds; it only has to have addresses. @returns where it ends */
function planSeabiosWindow(draft: Draft, space: AddressSpace, roots: readonly BarRoot[]): number {
  const spans = rootSpans(roots, seabiosLayout);
  const placed = placeSeabiosWindow(space, spans);
  const { bytes } = placed;
  if (bytes <= ovmfOwnWindowBytes) {
    decideOwn(draft, "Without devices of large BARs the firmware's own window is enough.");
    return placed.end;
  }
  draft.decide("firmware", "firmware.mmio64", {
    value: `${gib(bytes)}, by the firmware itself`,
    rule: "SeaBIOS makes the window as large as the BARs are, behind memory; no option tells it.",
    facts: [
      ...spans.map((span) => `${span.id} takes ${gib(span.bytes)}, aligned to ${gib(span.alignment)}`),
      ...placeFacts(draft, space, placed),
    ],
    source: "seabiosPci",
  });
  checkPlace(draft, space, placed);
  return placed.end;
}

/** Behind memory, as large as the BARs are. */
function placeSeabiosWindow(space: AddressSpace, spans: readonly RootSpan[]): PlacedWindow {
  const bytes = spans.reduce((sum, span) => sum + span.bytes, 0);
  const start = alignUp(space.roomEnd, Math.max(gibibyte, ...spans.map(({ alignment }) => alignment)));
  return { bytes, start, end: start + bytes, limit: 2 ** space.bits, limitBits: space.bits };
}

/** The profile's size is taken as it is, and told what it means. @returns where it ends at most */
function planGivenWindow(
  draft: Draft,
  space: AddressSpace,
  roots: readonly BarRoot[],
  bytes: number,
  isOvmf: boolean,
): number | undefined {
  const isPossible = bytes >= gibibyte && bytes <= ovmfMostBytes && bytes % mebibyte === 0;
  if (!isPossible) {
    draft.refuse("HOST_ADDRESS_BITS", path, {
      found: `a window of ${describeByteSize(bytes)}`,
      needed: "1 GiB to 16 TiB: OVMF ignores what is larger",
      fix: 'write a size such as "64G", or "auto"',
    });
    return undefined;
  }
  const because = isOvmf
    ? decideWindow(draft, bytes, [
        ...ovmfNeed(roots, bytes).terms,
        ...placeFacts(draft, space, placeWindow(bytes, space)),
      ])
    : draft.decide("firmware", "firmware.mmio64", {
        value: describeByteSize(bytes),
        rule: "The host bridge tells the guest how much 64-bit space there is for devices; SeaBIOS itself takes what their BARs need.",
        source: "seabiosPci",
      });
  if (isOvmf) {
    draft.add(windowOption(bytes, because));
    checkSize(draft, space, roots, bytes);
    checkPlace(draft, space, placeWindow(bytes, space));
  }
  draft.add({
    option: "global",
    properties: { driver: "q35-pcihost", property: "pci-hole64-size", value: bytes },
    because: [because],
  });
  return isOvmf
    ? placeWindow(bytes, space).limit
    : placeSeabiosWindow(space, rootSpans(roots, seabiosLayout)).end;
}

function checkSize(draft: Draft, space: AddressSpace, roots: readonly BarRoot[], bytes: number): void {
  const need = ovmfNeed(roots, bytes);
  if (need.bytes <= bytes) return;
  const enough = ovmfWindowBytes(roots, space);
  draft.warn("HOST_ADDRESS_BITS", path, {
    found: `a window of ${describeByteSize(bytes)}, and the devices and ports need ${gib(need.bytes)}: ${need.terms.join("; ")}`,
    needed:
      "room for every BAR: OVMF from 2025 on has no larger window, and leaves those that do not fit without addresses",
    fix: `write "auto"${enough === undefined ? "" : `, or "${formatByteSize(enough)}" or more`}`,
  });
}

function checkPlace(draft: Draft, { roomEnd, bits }: AddressSpace, placed: PlacedWindow): void {
  const { start, end, limit, limitBits, bytes } = placed;
  const { host } = draft;
  // Memory that does not fit itself is refused with its own sum.
  if (end > limit && roomEnd <= limit) {
    const wider = Math.ceil(Math.log2(end));
    const canGrow = bits < host.processor.physicalAddressBits && limitBits === bits;
    const terms = `memory and the room for more end at ${gib(roomEnd)}, the window of ${gib(bytes)} begins at ${gib(start)} and ends at ${gib(end)}`;
    draft.refuse("HOST_ADDRESS_BITS", path, {
      found: `${terms}, and addresses of ${limitBits} bits end at ${gib(limit)}: the ${start >= limit ? "beginning" : "end"} of the window is the first beyond`,
      needed: `an end of ${gib(limit)} or less: the firmware stands still otherwise`,
      fix: canGrow
        ? `set cpus.physicalBits to ${wider} or more, or to "host" under KVM`
        : "pass fewer devices through, use less memory, or keep less on ports",
    });
  }
  const iommuBits = host.iommu?.addressBits;
  if (!draft.passesDevices || iommuBits === undefined || end <= 2 ** iommuBits) return;
  draft.warn("HOST_ADDRESS_BITS", path, {
    found: `the window ends at ${gib(end)}, and addresses of the IOMMU, of ${iommuBits} bits, end at ${gib(2 ** iommuBits)}`,
    needed: "BARs where other devices can reach them: those beyond have no P2P",
    fix: "use less memory, or do without P2P",
  });
}

function placeFacts(
  draft: Draft,
  { roomEnd }: AddressSpace,
  { start, end, limit, limitBits }: PlacedWindow,
): string[] {
  return [
    `memory and the room for more end at ${gib(roomEnd)}; the window lies from ${gib(start)} to ${gib(end)}`,
    `addresses of ${limitBits} bits end at ${gib(limit)}`,
    ...(draft.profile.kernel
      ? ["the kernel is started by the firmware, which gives BARs their addresses first"]
      : []),
  ];
}

function decideOwn(draft: Draft, rule: string): void {
  draft.decide("firmware", "firmware.mmio64", {
    value: "left to the firmware",
    rule,
    source: "ovmfMmio64",
  });
}

function decideWindow(draft: Draft, bytes: number, facts: readonly string[]): string {
  return draft.decide("firmware", "firmware.mmio64", {
    value: `${gib(bytes)}, ${bytes / mebibyte} MiB`,
    rule: "OVMF takes the window's size from opt/ovmf/X-PciMmio64Mb, in decimal MiB, and lays BARs out in it: each aligned to itself, ports and roots to their largest.",
    facts,
    source: "ovmfMmio64",
  });
}

function windowOption(bytes: number, because: string): QemuOption {
  return {
    option: "fw_cfg",
    properties: { name: "opt/ovmf/X-PciMmio64Mb", string: String(bytes / mebibyte) },
    because: [because],
  };
}
