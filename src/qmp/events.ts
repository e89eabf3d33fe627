/**
 * The events that this client knows, with their data as QEMU spells it. Others arrive all the same, untyped.
 * test/qmp checks each line against the recorded schemas.
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html
 */
import type { AcpiOstInfo, WatchdogAction } from "./results.ts";

type NoData = Readonly<Record<never, never>>;

/** Why QEMU shuts down or resets. */
export type ShutdownCause =
  | "none"
  | "host-error"
  | "host-qmp-quit"
  | "host-qmp-system-reset"
  | "host-signal"
  | "host-ui"
  | "guest-shutdown"
  | "guest-reset"
  | "guest-panic"
  | "subsystem-reset"
  | "snapshot-load";

/** Name to data. */
export interface Events {
  SHUTDOWN: { guest: boolean; reason: ShutdownCause };
  POWERDOWN: NoData;
  RESET: { guest: boolean; reason: ShutdownCause };
  STOP: NoData;
  RESUME: NoData;
  SUSPEND: NoData;
  SUSPEND_DISK: NoData;
  WAKEUP: NoData;
  WATCHDOG: { action: WatchdogAction };
  GUEST_PANICKED: { action: "pause" | "poweroff" | "run"; info?: { type: string } };
  GUEST_CRASHLOADED: { action: "pause" | "poweroff" | "run"; info?: { type: string } };
  MEMORY_FAILURE: {
    recipient: "hypervisor" | "guest";
    action: "ignore" | "inject" | "fatal" | "reset";
    flags: { "action-required": boolean; recursive: boolean };
  };
  /** `device` is absent when the device had no id. A device with children sends one event each. */
  DEVICE_DELETED: { device?: string; path: string };
  DEVICE_UNPLUG_GUEST_ERROR: { device?: string; path: string };
  ACPI_DEVICE_OST: { info: AcpiOstInfo };
  MEMORY_DEVICE_SIZE_CHANGE: { id?: string; size: number; "qom-path": string };
  BALLOON_CHANGE: { actual: number };
  BLOCK_IO_ERROR: {
    device: string;
    "node-name"?: string;
    operation: "read" | "write";
    action: "ignore" | "report" | "stop";
    nospace?: boolean;
    reason: string;
  };
  BLOCK_IMAGE_CORRUPTED: {
    device: string;
    "node-name"?: string;
    msg: string;
    offset?: number;
    size?: number;
    fatal: boolean;
  };
  BLOCK_WRITE_THRESHOLD: { "node-name": string; "amount-exceeded": number; "write-threshold": number };
  JOB_STATUS_CHANGE: {
    id: string;
    status:
      | "undefined"
      | "created"
      | "running"
      | "paused"
      | "ready"
      | "standby"
      | "waiting"
      | "pending"
      | "aborting"
      | "concluded"
      | "null";
  };
  /** The guest opened or closed a virtio-serial port. */
  VSERPORT_CHANGE: { id: string; open: boolean };
  NIC_RX_FILTER_CHANGED: { name?: string; path: string };
  NETDEV_STREAM_CONNECTED: { "netdev-id": string; addr: { type: string } };
  NETDEV_STREAM_DISCONNECTED: { "netdev-id": string };
  /** `offset` in seconds against the host's clock. */
  RTC_CHANGE: { offset: number; "qom-path": string };
}

export type EventName = keyof Events;

/** When QEMU sent the event, since 1970; both -1 when it does not know. */
export interface QmpTimestamp {
  readonly seconds: number;
  readonly microseconds: number;
}

/** An event that is known by name: narrow it by `event`. */
export type QmpEvent<Name extends EventName = EventName> = {
  [Each in Name]: { readonly event: Each; readonly data: Events[Each]; readonly timestamp: QmpTimestamp };
}[Name];

/** Any event at all; `data` is empty when QEMU sent none. */
export interface AnyQmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly timestamp: QmpTimestamp;
}

/** Made when an event comes: most commands meet none. */
const known = (): { readonly [Name in EventName]: true } => ({
  SHUTDOWN: true,
  POWERDOWN: true,
  RESET: true,
  STOP: true,
  RESUME: true,
  SUSPEND: true,
  SUSPEND_DISK: true,
  WAKEUP: true,
  WATCHDOG: true,
  GUEST_PANICKED: true,
  GUEST_CRASHLOADED: true,
  MEMORY_FAILURE: true,
  DEVICE_DELETED: true,
  DEVICE_UNPLUG_GUEST_ERROR: true,
  ACPI_DEVICE_OST: true,
  MEMORY_DEVICE_SIZE_CHANGE: true,
  BALLOON_CHANGE: true,
  BLOCK_IO_ERROR: true,
  BLOCK_IMAGE_CORRUPTED: true,
  BLOCK_WRITE_THRESHOLD: true,
  JOB_STATUS_CHANGE: true,
  VSERPORT_CHANGE: true,
  NIC_RX_FILTER_CHANGED: true,
  NETDEV_STREAM_CONNECTED: true,
  NETDEV_STREAM_DISCONNECTED: true,
  RTC_CHANGE: true,
});

export function isKnownEvent(event: AnyQmpEvent): event is QmpEvent {
  return Object.hasOwn(known(), event.event);
}
