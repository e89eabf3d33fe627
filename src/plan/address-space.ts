import type { JsonPath } from "../errors/index.ts";
import { describeByteSize } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import type { Accelerator } from "./machine.ts";

const gibibyte = 2 ** 30;
/** The q35 board keeps the rest of the first 4 GiB for devices; a guest with more memory gets 2 GiB there. */
const mostLowBytes = 0xb000_0000;
const lowBytesOfLargeGuests = 0x8000_0000;
const defaultWindowBytes = 32 * gibibyte;
/** What models other than host and max have, and TCG. */
const defaultBits = 40;
/** Below 1 TiB an AMD processor has a range for HyperTransport; a guest that reaches it has its memory above 1 TiB. */
export const hyperTransportStart = 0xfd_0000_0000;

/** What has guest physical addresses, one behind the other. */
export interface AddressSpace {
  /** Where memory ends, and the room for more behind it. */
  readonly roomEnd: number;
  /** Width of the addresses that the guest can use. */
  readonly bits: number;
  readonly isAmd: boolean;
}

/**
 * Memory, the room for more, and the 64-bit window of PCI devices must all have guest physical addresses, and under
 * KVM the host's processor must be able to form them.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/i386/pc.c (pc_memory_init)
 */
export function checkAddressSpace(draft: Draft, accelerator: Accelerator): AddressSpace {
  const { memory, pcie, cpus } = draft.profile;
  const windowBytes = pcie.mmio64 === "auto" ? defaultWindowBytes : pcie.mmio64;
  const room = { sizeBytes: memory.size, maxBytes: memory.max ?? memory.size, slots: memory.slots };
  const low = endsFrom(room, 4 * gibibyte);
  const amd = isAmd(draft, accelerator);
  const isMoved = amd && low.roomEnd + windowBytes > hyperTransportStart;
  const { memoryEnd, roomEnd } = isMoved ? endsFrom(room, 1024 * gibibyte) : low;
  const end = roomEnd + windowBytes;
  const hostBits = draft.host.processor.physicalAddressBits;
  const guestBits = guestAddressBits(draft, accelerator);
  const bits = accelerator === "kvm" ? Math.min(guestBits, hostBits) : guestBits;
  draft.decide("memory", "memory.addresses", {
    value: `up to ${describeByteSize(end)} of ${describeByteSize(2 ** bits)}`,
    rule: "Memory, room for more, and the 64-bit window of PCI devices lie one behind the other, within the processor's physical addresses.",
    facts: [
      `guest addresses have ${guestBits} bits, the host's ${hostBits}`,
      `QEMU counts ${describeByteSize(windowBytes)} for the 64-bit window`,
    ],
    source: "physicalBits",
  });
  const path = ["memory", memory.max === undefined ? "size" : "max"];
  if (end > 2 ** bits) {
    const own = bits < hostBits && cpus.physicalBits === undefined;
    const isBeyond = (value: number) => value > 2 ** bits;
    const first = isBeyond(memoryEnd) ? "memory" : isBeyond(roomEnd) ? "the room for more" : "the window";
    const isWindow = pcie.mmio64 !== "auto" && !isBeyond(roomEnd);
    draft.refuse("HOST_ADDRESS_BITS", isWindow ? ["pcie", "mmio64"] : path, {
      found: `memory, room for more and the 64-bit window of PCI devices end at ${describeByteSize(end)}, and addresses of ${bits} bits end at ${describeByteSize(2 ** bits)}: ${first} is the first beyond`,
      needed: `an end of ${describeByteSize(2 ** bits)} or less`,
      fix: own
        ? `set cpus.physicalBits to ${accelerator === "kvm" ? '"host"' : Math.ceil(Math.log2(end))}, or ${isWindow ? "write a smaller window" : "use less memory"}`
        : isWindow
          ? "write a smaller window, or use less memory"
          : "use less memory, a smaller memory.max or fewer memory.slots",
    });
  }
  checkIommuWidth(draft, roomEnd, path);
  return { roomEnd, bits, isAmd: amd };
}

/** Devices of the host reach memory through its IOMMU, at the guest's addresses. */
function checkIommuWidth(draft: Draft, roomEnd: number, path: JsonPath): void {
  const bits = draft.host.iommu?.addressBits;
  if (!draft.passesDevices || bits === undefined || roomEnd <= 2 ** bits) return;
  draft.refuse("HOST_ADDRESS_BITS", path, {
    found: `memory and room for more end at ${describeByteSize(roomEnd)}, and addresses of the IOMMU, of ${bits} bits, end at ${describeByteSize(2 ** bits)}`,
    needed: "memory that the devices passed through can reach",
    fix: "use less memory, a smaller memory.max or fewer memory.slots",
  });
}

/** Where memory and the room for more end, when memory beyond the first 4 GiB starts at `aboveStart`. */
function endsFrom(
  { sizeBytes, maxBytes, slots }: { sizeBytes: number; maxBytes: number; slots: number },
  aboveStart: number,
): { memoryEnd: number; roomEnd: number } {
  const low = sizeBytes >= mostLowBytes ? lowBytesOfLargeGuests : sizeBytes;
  const memoryEnd = toGibibytes(aboveStart + sizeBytes - low);
  const room = maxBytes > sizeBytes ? maxBytes - sizeBytes + slots * gibibyte : 0;
  return { memoryEnd, roomEnd: toGibibytes(memoryEnd + room) };
}

function guestAddressBits(draft: Draft, accelerator: Accelerator): number {
  const { physicalBits, model } = draft.profile.cpus;
  if (typeof physicalBits === "number") return physicalBits;
  const isHosts = physicalBits === "host" || model === "host" || model === "max";
  return isHosts && accelerator === "kvm" ? draft.host.processor.physicalAddressBits : defaultBits;
}

function isAmd(draft: Draft, accelerator: Accelerator): boolean {
  const { model } = draft.profile.cpus;
  const vendor = draft.options.flatMap((option) =>
    option.option === "cpu" ? option.properties.vendor : [],
  )[0];
  if (vendor !== undefined) return vendor === "AuthenticAMD";
  if (model !== "host" && model !== "max") return /^(EPYC|Opteron|phenom|athlon|qemu64)/.test(model);
  return accelerator === "tcg" || draft.host.processor.vendor === "AuthenticAMD";
}

function toGibibytes(bytes: number): number {
  return Math.ceil(bytes / gibibyte) * gibibyte;
}
