import { describeByteSize } from "../units/index.ts";
import type { Draft } from "./draft.ts";
import { type ChosenFunction, deviceMemoryBytes } from "./passthrough-select.ts";

/** What an address space has beside the guest's memory, as libvirt allows it. */
const overheadBytes = 2 ** 30;

/**
 * What QEMU may have to lock: a device reaches all of the guest's memory at any time, so that all of it stays in
 * place. Behind an IOMMU of the guest each device has an address space of its own, and memory counts once for each.
 *
 * @see https://gitlab.com/libvirt/libvirt/-/blob/master/src/qemu/qemu_domain.c (qemuDomainGetMemLockLimitBytes)
 */
export function planPinnedMemory(draft: Draft, chosen: readonly ChosenFunction[]): number {
  const devices = chosen.length;
  if (devices === 0) return 0;
  const barBytes = chosen.reduce((sum, { fn }) => sum + deviceMemoryBytes(fn), 0);
  const { memory, machine } = draft.profile;
  const most = memory.max ?? memory.size;
  const spaces = machine.viommu ? devices : 1;
  const bytes = (most + overheadBytes) * spaces;
  draft.decide("passthrough", "passthrough.memory", {
    value: `up to ${describeByteSize(bytes)} are locked`,
    rule: "Devices reach the guest's memory at any time, so that none of it may move: the limit is raised before the start, or the start is refused.",
    facts: [
      `${describeByteSize(most)} of memory${memory.max === undefined ? "" : ", with what may be added"}`,
      machine.viommu
        ? `${devices} devices behind the guest's IOMMU, each with an address space of its own`
        : "one address space for all devices",
      `${describeByteSize(barBytes)} of device memory are mapped and not locked`,
      `${describeByteSize(overheadBytes)} more for what QEMU maps beside it`,
    ],
    source: "lockedMemory",
  });
  return bytes;
}
