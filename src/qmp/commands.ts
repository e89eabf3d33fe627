/**
 * The commands that this client knows, with arguments and results as QEMU spells them. Sizes are bytes, times are
 * nanoseconds where QEMU says `-ns`. Commands and arguments are those that QEMU 7.2 and 10.0 both have; optional
 * arguments and parts of results that nobody needed are left out. test/qmp checks every line of this against what
 * both versions say of themselves.
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html
 */
import type { ChardevBackend, NetdevAddArguments } from "./backends.ts";
import type { BlockDeviceInfo, BlockdevAddArguments, BlockInfo } from "./block.ts";
import type { ObjectAddArguments } from "./objects.ts";
import type {
  AcpiOstInfo,
  CommandLineOptionInfo,
  CpuDefinitionInfo,
  CpuInfoFast,
  HotpluggableCpu,
  IoThreadInfo,
  MachineInfo,
  MemdevInfo,
  MemoryDeviceInfo,
  ObjectPropertyInfo,
  ObjectTypeInfo,
  PciInfo,
  RunState,
  RxFilterInfo,
  VersionInfo,
  WatchdogAction,
} from "./results.ts";

/** A command without arguments. */
export type None = Readonly<Record<never, never>>;

/** What commands return that only succeed or fail: `{}`. */
export type Empty = Readonly<Record<string, never>>;

/** Name to arguments and result. */
export interface Commands {
  // The monitor itself
  qmp_capabilities: { arguments: { enable?: readonly "oob"[] }; returns: Empty };
  "query-version": { arguments: None; returns: VersionInfo };
  "query-commands": { arguments: None; returns: { name: string }[] };
  "query-qmp-schema": { arguments: None; returns: { name: string; "meta-type": string }[] };
  "human-monitor-command": { arguments: { "command-line": string; "cpu-index"?: number }; returns: string };
  quit: { arguments: None; returns: Empty };

  // The machine as a whole
  "query-name": { arguments: None; returns: { name?: string } };
  "query-uuid": { arguments: None; returns: { UUID: string } };
  "query-status": { arguments: None; returns: { running: boolean; status: RunState } };
  "query-kvm": { arguments: None; returns: { enabled: boolean; present: boolean } };
  "query-machines": { arguments: None; returns: MachineInfo[] };
  "query-command-line-options": { arguments: { option?: string }; returns: CommandLineOptionInfo[] };
  cont: { arguments: None; returns: Empty };
  stop: { arguments: None; returns: Empty };
  system_reset: { arguments: None; returns: Empty };
  system_powerdown: { arguments: None; returns: Empty };
  system_wakeup: { arguments: None; returns: Empty };
  "inject-nmi": { arguments: None; returns: Empty };
  "watchdog-set-action": { arguments: { action: WatchdogAction }; returns: Empty };
  "set-action": {
    arguments: {
      reboot?: "reset" | "shutdown";
      shutdown?: "poweroff" | "pause";
      panic?: "pause" | "shutdown" | "exit-failure" | "none";
      watchdog?: WatchdogAction;
    };
    returns: Empty;
  };

  // CPUs and memory
  "query-cpus-fast": { arguments: None; returns: CpuInfoFast[] };
  "query-hotpluggable-cpus": { arguments: None; returns: HotpluggableCpu[] };
  "query-cpu-definitions": { arguments: None; returns: CpuDefinitionInfo[] };
  "query-iothreads": { arguments: None; returns: IoThreadInfo[] };
  "query-memdev": { arguments: None; returns: MemdevInfo[] };
  "query-memory-devices": { arguments: None; returns: MemoryDeviceInfo[] };
  "query-memory-size-summary": {
    arguments: None;
    returns: { "base-memory": number; "plugged-memory"?: number };
  };
  "query-acpi-ospm-status": { arguments: None; returns: AcpiOstInfo[] };
  "query-balloon": { arguments: None; returns: { actual: number } };
  balloon: { arguments: { value: number }; returns: Empty };

  // Objects and devices
  "qom-list": { arguments: { path: string }; returns: ObjectPropertyInfo[] };
  "qom-get": { arguments: { path: string; property: string }; returns: unknown };
  "qom-set": { arguments: { path: string; property: string; value: unknown }; returns: Empty };
  "qom-list-types": { arguments: { implements?: string; abstract?: boolean }; returns: ObjectTypeInfo[] };
  "device-list-properties": { arguments: { typename: string }; returns: ObjectPropertyInfo[] };
  "qom-list-properties": { arguments: { typename: string }; returns: ObjectPropertyInfo[] };
  "object-add": { arguments: ObjectAddArguments; returns: Empty };
  "object-del": { arguments: { id: string }; returns: Empty };
  device_add: { arguments: DeviceAddArguments; returns: Empty };
  device_del: { arguments: { id: string }; returns: Empty };
  "query-pci": { arguments: None; returns: PciInfo[] };

  // Disks
  "query-block": { arguments: None; returns: BlockInfo[] };
  "query-named-block-nodes": { arguments: { flat?: boolean }; returns: BlockDeviceInfo[] };
  "blockdev-add": { arguments: BlockdevAddArguments; returns: Empty };
  "blockdev-del": { arguments: { "node-name": string }; returns: Empty };
  /** `size` in bytes; name the disk by exactly one of the other two. */
  block_resize: { arguments: { device?: string; "node-name"?: string; size: number }; returns: Empty };

  // Networks and character devices
  netdev_add: { arguments: NetdevAddArguments; returns: Empty };
  netdev_del: { arguments: { id: string }; returns: Empty };
  set_link: { arguments: { name: string; up: boolean }; returns: Empty };
  "query-rx-filter": { arguments: { name?: string }; returns: RxFilterInfo[] };
  "query-chardev": {
    arguments: None;
    returns: { label: string; filename: string; "frontend-open": boolean }[];
  };
  "chardev-add": { arguments: { id: string; backend: ChardevBackend }; returns: { pty?: string } };
  "chardev-remove": { arguments: { id: string }; returns: Empty };

  // File descriptors
  getfd: { arguments: { fdname: string }; returns: Empty };
  closefd: { arguments: { fdname: string }; returns: Empty };
  "query-fdsets": {
    arguments: None;
    returns: { "fdset-id": number; fds: { fd: number; opaque?: string }[] }[];
  };
}

export type CommandName = keyof Commands;
export type CommandArguments<Name extends CommandName> = Commands[Name]["arguments"];
export type CommandResult<Name extends CommandName> = Commands[Name]["returns"];

/**
 * A device and its properties, whose names come from `device-list-properties`. The value of a PCI `addr` is a
 * string such as `"4.0"`.
 */
export interface DeviceAddArguments {
  driver: string;
  id?: string;
  bus?: string;
  readonly [property: string]: unknown;
}
