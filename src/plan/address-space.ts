import { describeByteSize } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import type { Accelerator } from "./machine.ts";
import { sources } from "./sources.ts";

const gibibyte = 2 ** 30;
/** The q35 board keeps the rest of the first 4 GiB for devices; a guest with more memory gets 2 GiB there. */
const mostLowBytes = 0xb000_0000;
const lowBytesOfLargeGuests = 0x8000_0000;
const defaultWindowBytes = 32 * gibibyte;
/** What models other than host and max have, and TCG. */
const defaultBits = 40;
/** Below 1 TiB an AMD processor has a range for HyperTransport; a guest that reaches it has its memory above 1 TiB. */
const hyperTransportStart = 0xfd_0000_0000;

/**
 * Memory, the room for more, and the 64-bit window of PCI devices must all have guest physical addresses, and under
 * KVM the host's processor must be able to form them.
 *
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/hw/i386/pc.c (pc_memory_init)
 */
export function checkAddressSpace(draft: Draft, accelerator: Accelerator): void {
  const { memory, pcie, cpus } = draft.profile;
  const windowBytes = pcie.mmio64 === "auto" ? defaultWindowBytes : pcie.mmio64;
  const room = { sizeBytes: memory.size, maxBytes: memory.max ?? memory.size, slots: memory.slots };
  const lowEnd = addressesEnd(room, windowBytes, 4 * gibibyte);
  const end =
    isAmd(draft, accelerator) && lowEnd > hyperTransportStart
      ? addressesEnd(room, windowBytes, 1024 * gibibyte)
      : lowEnd;
  const hostBits = draft.host.processor.physicalAddressBits;
  const guestBits = guestAddressBits(draft, accelerator);
  const bits = accelerator === "kvm" ? Math.min(guestBits, hostBits) : guestBits;
  draft.decide("memory", "memory.addresses", {
    value: `up to ${describeByteSize(end)} of ${describeByteSize(2 ** bits)}`,
    rule: "Memory, room for more, and the 64-bit window of PCI devices lie one behind the other, within the processor's physical addresses.",
    facts: [
      `guest addresses have ${guestBits} bits, the host's ${hostBits}`,
      `the 64-bit window has ${describeByteSize(windowBytes)}`,
    ],
    source: sources.physicalBits,
  });
  if (end <= 2 ** bits) return;
  const key = memory.max === undefined ? "size" : "max";
  const own = bits < hostBits && cpus.physicalBits === undefined;
  draft.refuse("HOST_ADDRESS_BITS", ["memory", key], {
    found: `memory, room for more and the 64-bit window of PCI devices end at ${describeByteSize(end)}, and addresses of ${bits} bits end at ${describeByteSize(2 ** bits)}`,
    needed: `an end of ${describeByteSize(2 ** bits)} or less`,
    fix: own
      ? `set cpus.physicalBits to ${accelerator === "kvm" ? '"host"' : Math.ceil(Math.log2(end))}, or use less memory`
      : "use less memory, a smaller memory.max or fewer memory.slots",
  });
}

/** Where the last address lies, when memory beyond the first 4 GiB starts at `aboveStart`. */
function addressesEnd(
  { sizeBytes, maxBytes, slots }: { sizeBytes: number; maxBytes: number; slots: number },
  windowBytes: number,
  aboveStart: number,
): number {
  const low = sizeBytes >= mostLowBytes ? lowBytesOfLargeGuests : sizeBytes;
  const end = toGibibytes(aboveStart + sizeBytes - low);
  const room = maxBytes > sizeBytes ? maxBytes - sizeBytes + slots * gibibyte : 0;
  return toGibibytes(end + room) + windowBytes;
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
