import type { GuestEvent } from "./operation-wait.ts";

/** A guest that says no to giving something up. */
export interface GuestRefusal {
  /** The device's id, when it has one. */
  readonly device: string | undefined;
  /** CPU or DIMM, with QEMU's number of the slot; undefined when the event does not say. */
  readonly slot: { readonly type: string; readonly number: string } | undefined;
  /** In words. */
  readonly reason: string;
}

/** ACPI's codes for an eject: section 6.3.5 of the specification. */
const ejectRequest = 3;
const ejectByGuest = 0x103;
const ejecting = 0x84;
const reasons: Readonly<Record<number, string>> = {
  1: "it failed, without a reason",
  2: "it does not know the request",
  128: "it cannot eject this",
  129: "a program uses it",
  130: "it is busy",
  131: "something that depends on it is busy",
};

/**
 * What an event says against an eject, if it does. Status 0 says nothing: guests send it whether it worked or not.
 * @see https://uefi.org/specs/ACPI/6.5/06_Device_Configuration.html#ost-ospm-status-indication
 */
export function refusedEject(event: GuestEvent): GuestRefusal | undefined {
  if (event.event === "DEVICE_UNPLUG_GUEST_ERROR") {
    return { device: event.data.device, slot: undefined, reason: "the guest refused" };
  }
  if (event.event !== "ACPI_DEVICE_OST") return undefined;
  const { device, slot, "slot-type": type, source, status } = event.data.info;
  if (source !== ejectRequest && source !== ejectByGuest) return undefined;
  if (status === 0 || status === ejecting) return undefined;
  return { device, slot: { type, number: slot }, reason: reasons[status] ?? `ACPI status ${status}` };
}
