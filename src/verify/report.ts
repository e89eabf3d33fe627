import type { IdSet } from "../units/index.ts";

/** The virtio-serial port that a probe answers on. */
export const probePort = "org.qlaunch.probe.0";

/** What a guest says that it sees, as its kernel has it. */
export interface ProbeReport {
  readonly kernel: string;
  readonly uptimeSeconds: number;
  readonly nodes: readonly GuestNode[];
  readonly topology: readonly GuestCpu[];
  readonly pci: readonly GuestFunction[];
}

export interface GuestNode {
  readonly id: number;
  readonly cpuIds: IdSet;
  readonly memoryKiB: number;
  readonly distances: readonly number[];
}

export interface GuestCpu {
  readonly cpu: number;
  /** As the kernel writes it: "0-1". */
  readonly siblings: string;
}

export interface GuestFunction {
  readonly address: string;
  /** With 0x before the digits, as sysfs has them. */
  readonly class: string;
  readonly vendor: string;
  readonly device: string;
  /** -1 for none. */
  readonly numaNode: number;
  /** The address of the bridge above; "root" on a root bus. */
  readonly parent: string;
  readonly resources: readonly GuestResource[];
}

/** One line of a function's `resource` file that is not empty. */
export interface GuestResource {
  /** 0 to 5 are BARs, 6 the ROM, higher ones a bridge's windows. */
  readonly index: number;
  readonly start: string;
  readonly end: string;
  readonly flags: string;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string" && value.length <= 4096;
const integer: Check = Number.isSafeInteger;
const number: Check = Number.isFinite;
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const shape =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(checks).every(([key, check]) => check((value as Record<string, unknown>)[key]));

const isReport = shape({
  version: (value) => value === 1,
  kernel: text,
  uptimeSeconds: number,
  nodes: list(shape({ id: integer, cpuIds: list(integer), memoryKiB: integer, distances: list(integer) })),
  topology: list(shape({ cpu: integer, siblings: text })),
  pci: list(
    shape({
      address: text,
      class: text,
      vendor: text,
      device: text,
      numaNode: integer,
      parent: text,
      resources: list(shape({ index: integer, start: text, end: text, flags: text })),
    }),
  ),
});

/** The report in a line of a guest's answers; undefined when the line is something else. */
export function parseReport(line: string): ProbeReport | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isReport(value) ? (value as ProbeReport) : undefined;
}
