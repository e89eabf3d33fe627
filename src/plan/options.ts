/**
 * QEMU's options as data, in QEMU's own words; src/argv spells them. Front ends (-device) and back ends (-object,
 * -netdev, -chardev, -blockdev) are apart, and their properties are what device_add, object-add and the like take
 * over QMP, so that a start and a hot-plug share one decision.
 *
 * @see https://www.qemu.org/docs/master/system/invocation.html
 */
export type QemuOption = (
  | FlagOption
  | TextOption
  | KeyedOption
  | MachineOption
  | CpuOption
  | SmpOption
  | MemoryOption
  | ObjectOption
  | NumaNodeOption
  | NumaDistanceOption
  | DeviceOption
  | ChardevOption
  | BlockdevOption
  | NetdevOption
  | FsdevOption
  | TpmdevOption
  | SandboxOption
  | QmpOption
  | ExtraOption
) & {
  /** Ids of the decisions behind the option; at least one. */
  readonly because: readonly string[];
  /** Needs the launcher's inherited descriptor; left out of what people run by hand. */
  readonly launcherOnly?: boolean;
};

/** Text, a whole number, on or off, numbers as ranges (host-nodes), or the same key several times. */
export type PropertyValue = string | number | boolean | readonly number[] | readonly string[];

/** In the order they are spelled. Undefined ones are left out. */
export type Properties = Readonly<Record<string, PropertyValue | undefined>>;

/** A switch without a value. */
export interface FlagOption {
  readonly option: "no-user-config" | "nodefaults" | "S";
}

/** A switch whose value is one text, without properties. */
export interface TextOption {
  readonly option: "uuid" | "pidfile" | "kernel" | "initrd" | "append" | "display" | "vnc";
  readonly value: string;
}

/** A switch with properties and no leading word. */
export interface KeyedOption {
  readonly option:
    | "boot"
    | "rtc"
    | "overcommit"
    | "global"
    | "smbios"
    | "fw_cfg"
    | "msg"
    | "name"
    | "action"
    | "drive";
  readonly properties: Properties;
}

export interface MachineOption {
  readonly option: "machine";
  readonly type: string;
  readonly properties: Properties;
}

export interface CpuOption {
  readonly option: "cpu";
  readonly model: string;
  readonly properties: Properties;
}

export interface SmpOption {
  readonly option: "smp";
  /** CPUs that -smp itself makes. */
  readonly cpus: number;
  readonly maxcpus: number;
  readonly sockets: number;
  readonly dies: number;
  readonly cores: number;
  readonly threads: number;
}

export interface MemoryOption {
  readonly option: "m";
  readonly sizeBytes: number;
  readonly slots: number;
  readonly maxBytes: number;
}

export interface ObjectOption {
  readonly option: "object";
  readonly qomType: string;
  readonly id: string;
  readonly properties: Properties;
}

export interface NumaNodeOption {
  readonly option: "numa-node";
  readonly nodeId: number;
  readonly cpus: readonly number[];
  readonly memdev: string | undefined;
}

export interface NumaDistanceOption {
  readonly option: "numa-dist";
  readonly source: number;
  readonly destination: number;
  readonly value: number;
}

export interface DeviceOption {
  readonly option: "device";
  readonly driver: string;
  readonly id: string | undefined;
  readonly properties: Properties;
}

export interface ChardevOption {
  readonly option: "chardev";
  readonly backend: string;
  readonly id: string;
  readonly properties: Properties;
}

export interface BlockdevOption {
  readonly option: "blockdev";
  readonly driver: string;
  readonly nodeName: string;
  readonly properties: Properties;
}

export interface NetdevOption {
  readonly option: "netdev";
  readonly type: string;
  readonly id: string;
  readonly properties: Properties;
}

export interface FsdevOption {
  readonly option: "fsdev";
  readonly driver: string;
  readonly id: string;
  readonly properties: Properties;
}

export interface TpmdevOption {
  readonly option: "tpmdev";
  readonly type: string;
  readonly id: string;
  readonly properties: Properties;
}

/** Switched on, with what it denies. */
export interface SandboxOption {
  readonly option: "sandbox";
  readonly properties: Properties;
}

export interface QmpOption {
  readonly option: "qmp";
  readonly chardev: string;
}

/** From extraArgs: spelled as they are. */
export interface ExtraOption {
  readonly option: "extra";
  readonly arguments: readonly string[];
}
