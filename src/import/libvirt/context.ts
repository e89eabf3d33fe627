import type { z } from "zod";
import type { profileSchema } from "../../profile/schema.ts";
import type { Overrides } from "./overrides.ts";
import type { Reading } from "./reading.ts";

/** What a profile file may say, before defaults. */
export type ProfileInput = z.input<typeof profileSchema>;

type Writable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** The profile while it is made. */
export type ProfileDraft = Writable<ProfileInput>;

/** What of a host fills what a domain leaves open. */
export interface ImportHost {
  readonly nodes: readonly {
    readonly id: number;
    readonly cpus: readonly number[];
    /** To each node, in order. */
    readonly distances: readonly number[];
  }[];
}

export interface ImportContext {
  readonly profile: ProfileDraft;
  /** The host that it shall run on, where it is known: what the domain leaves open is taken from it. */
  readonly host: ImportHost | undefined;
  /** Let the planner lay out the PCI devices, instead of keeping the guest's addresses. */
  readonly replan: boolean;
  /** Whether qlaunch wrote the domain: then nothing is what libvirt would add to it. */
  readonly isOurs: boolean;
  /** Properties of QEMU's devices that the domain sets. */
  readonly overrides: Overrides;
  /** The profile's name of an I/O thread, which libvirt has a number for. */
  readonly iothreadName: (id: number) => string;
}

/** A whole number in decimal or 0x form; an attribute that is none is dropped with a line. */
export function numberOf(reading: Reading, attribute: string): number | undefined {
  const text = reading.attribute(attribute);
  if (text === undefined) return undefined;
  if (/^(\d{1,15}|0x[0-9a-fA-F]{1,12})$/.test(text)) return Number(text);
  reading.dropAttribute(attribute, `"${text}" is no number`);
  return undefined;
}

/** The most vCPUs, I/O threads, cells and the like that a domain may count to. */
const mostCounted = 4096;

/** A count in the element's text; what is none, or beyond all machines, is dropped with a line. */
export function countIn(reading: Reading | undefined, otherwise: number): number {
  const text = reading?.text();
  if (reading === undefined || text === undefined) return otherwise;
  if (/^\d{1,4}$/.test(text) && Number(text) <= mostCounted) return Number(text);
  reading.drop(`"${text}" is no count up to ${mostCounted}`);
  return otherwise;
}

/** Bytes of one unit of libvirt's. @see https://libvirt.org/formatdomain.html#memory-allocation */
const units: Readonly<Record<string, number>> = {
  b: 1,
  bytes: 1,
  KB: 1e3,
  k: 1024,
  KiB: 1024,
  MB: 1e6,
  M: 1024 ** 2,
  MiB: 1024 ** 2,
  GB: 1e9,
  G: 1024 ** 3,
  GiB: 1024 ** 3,
  TB: 1e12,
  T: 1024 ** 4,
  TiB: 1024 ** 4,
};

/** A size in the element's text, KiB where no unit is given; undefined, with a line, where it is none. */
export function sizeOf(reading: Reading): number | undefined {
  return bytesOf(reading, reading.text() ?? "", reading.attribute("unit") ?? "KiB");
}

/** libvirt makes memory whole MiB. @see https://libvirt.org/formatdomain.html#memory-allocation */
export function wholeMebibytes(bytes: number): number {
  return Math.ceil(bytes / 1024 ** 2) * 1024 ** 2;
}

export function bytesOf(reading: Reading, text: string, unit: string): number | undefined {
  const factor = units[unit];
  if (/^\d{1,15}$/.test(text) && factor !== undefined) return Number(text) * factor;
  reading.drop(factor === undefined ? `the unit "${unit}" is unknown` : `"${text}" is no size`);
  return undefined;
}

/** The size as a profile writes it: the largest unit that makes it whole. */
export function sizeText(bytes: number): string | number {
  for (const [suffix, unit] of [
    ["T", 1024 ** 4],
    ["G", 1024 ** 3],
    ["M", 1024 ** 2],
    ["K", 1024],
  ] as const) {
    if (bytes > 0 && bytes % unit === 0) return `${bytes / unit}${suffix}`;
  }
  return bytes;
}

/**
 * The name that a user gave a device, which libvirt keeps behind "ua-"; its own names are none of ours. libvirt takes no
 * dots, for which qlaunch writes "_-".
 */
export function aliasOf(device: Reading): string | undefined {
  const alias = device.one("alias")?.attribute("name") ?? "";
  const name = alias.startsWith("ua-") ? alias.slice(3).replaceAll("_-", ".") : "";
  return /^[A-Za-z][A-Za-z0-9._-]{0,23}$/.test(name) ? name : undefined;
}

/** yes and no, on and off. */
export function isOn(text: string | undefined): boolean | undefined {
  if (text === "yes" || text === "on") return true;
  return text === "no" || text === "off" ? false : undefined;
}
