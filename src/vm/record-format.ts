import { formatPciAddress, parsePciAddress } from "../units/index.ts";
import type { RecordReading, VmRecord } from "./record.ts";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const counts: Check = (value) => Array.isArray(value) && value.every(count);
const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const shape = (checks: Readonly<Record<string, Check>>): Check => {
  const entries = Object.entries(checks);
  return (value) => isRecord(value) && entries.every(([key, check]) => check(value[key]));
};

const identity = shape({ pid: count, startTimeTicks: count });
const processAction = shape({ process: orNull(identity), marks: list(text) });
const removeAction = shape({ path: text });
/** As sysfs spells it: it becomes a part of a path. */
const pciAddress: Check = (value) => {
  const address = typeof value === "string" ? parsePciAddress(value) : undefined;
  return address !== undefined && formatPciAddress(address) === value;
};
/** The name of a folder, and a line of its own in sysfs. */
const driverName: Check = (value) =>
  typeof value === "string" && /^[^/\n]+$/.test(value) && value !== "." && value !== "..";
const giveBackAction = shape({
  address: pciAddress,
  driver: orNull(driverName),
  override: orNull(driverName),
});

/** One check for each member; the compiler tells when one is forgotten. */
const checks: Readonly<Record<keyof VmRecord, Check>> = {
  format: (value) => value === 1,
  qlaunch: text,
  name: text,
  uuid: text,
  phase: (value) => value === "starting" || value === "running" || value === "stopping",
  worker: orNull(identity),
  bootId: text,
  createdMs: count,
  program: text,
  qemu: orNull(identity),
  helpers: list(shape({ id: text, process: identity })),
  vcpus: count,
  vcpusMade: (value) => value === undefined || count(value),
  memoryBytes: count,
  cells: list(
    shape({
      id: count,
      memoryBytes: count,
      pageSizeBytes: count,
      hostNodes: (value) => value === undefined || counts(value),
    }),
  ),
  exclusiveCpus: counts,
  pciFunctions: (value) => value === undefined || list(pciAddress)(value),
  undo: list(
    shape({
      step: text,
      action: (value) =>
        isRecord(value) &&
        ((value.do === "end-process" && processAction(value)) ||
          (value.do === "remove" && removeAction(value)) ||
          (value.do === "give-back-device" && giveBackAction(value))),
    }),
  ),
};

/** Reads the text of a vm.json, trusting nothing in it. */
export function parseRecord(text: string): Exclude<RecordReading, { kind: "absent" }> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: "broken", problem: "its vm.json is not JSON" };
  }
  if (!isRecord(value)) return { kind: "broken", problem: "its vm.json holds no object" };
  const { format } = value;
  if (typeof format === "number" && format > 1) {
    return { kind: "newer", problem: `its vm.json has format ${format}; this program reads format 1` };
  }
  for (const [key, check] of Object.entries(checks)) {
    if (!check(value[key]))
      return { kind: "broken", problem: `"${key}" in its vm.json is not as it must be` };
  }
  return { kind: "record", record: value as unknown as VmRecord };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
