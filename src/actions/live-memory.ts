import {
  addMemory,
  type LiveMemoryDevice,
  type LiveOptions,
  listMemoryDevices,
  type MemoryOutcome,
  removeMemory,
  resizeMemory,
} from "../hotplug/index.ts";
import { type MemoryDevice, resolvePath } from "../profile/index.ts";
import type { System } from "../system/index.ts";
import { parseByteSize } from "../units/index.ts";
import type { MemoryWish } from "./live-memory-plan.ts";
import { checkId, usage } from "./usage.ts";

export type { LiveMemoryDevice, MemoryOutcome };
export { listMemoryDevices, removeMemory };

/** A memory device as the command line has it. */
export interface MemoryRequest {
  readonly size: string;
  readonly cell: string | undefined;
  readonly kind: MemoryDevice["kind"];
  readonly id: string | undefined;
  readonly pageSize: string | undefined;
  readonly requested: string | undefined;
  readonly path: string | undefined;
  readonly labelSize: string | undefined;
  readonly align: string | undefined;
  readonly pmem: boolean;
  readonly unarmed: boolean;
  readonly bus: string | undefined;
}

/** @throws QlaunchError USAGE, and those of `addMemory` in hotplug */
export async function addMemoryDevice(
  system: System,
  name: string,
  request: MemoryRequest,
  options: LiveOptions,
): Promise<MemoryOutcome> {
  const wish = parseRequest(system, request);
  return addMemory(system, name, options, async (facts) => {
    const { planMemory } = await import("./live-memory-plan.ts");
    return planMemory(system, name, wish, facts);
  });
}

/** @param size "8G", or 0 to take all back @throws QlaunchError USAGE, and those of `resizeMemory` in hotplug */
export async function resizeMemoryDevice(
  system: System,
  name: string,
  id: string,
  size: string,
  options: LiveOptions,
): Promise<MemoryOutcome> {
  const sizeBytes = bytes("size", size);
  const { problemsOfMore } = await import("./live-memory-plan.ts");
  return resizeMemory(system, name, id, sizeBytes, options, await problemsOfMore(system, name, id));
}

function parseRequest(system: System, request: MemoryRequest): MemoryWish {
  const { id, kind, path, bus } = request;
  if (id !== undefined) checkId(id);
  return {
    id,
    kind,
    size: bytes("--size", request.size),
    cell: cellOf(request.cell),
    pageSize: optionalBytes("--page-size", request.pageSize),
    requested: optionalBytes("--requested", request.requested),
    path: path === undefined ? undefined : resolvePath(system.user.workingDirectory, path),
    labelSize: optionalBytes("--label-size", request.labelSize),
    align: optionalBytes("--align", request.align),
    pmem: request.pmem ? true : undefined,
    bus,
    unarmed: request.unarmed ? true : undefined,
  };
}

function cellOf(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d+$/.test(text)) return Number(text);
  throw usage(
    `"${text}" is no number of a cell`,
    "a whole number such as 0",
    "write the number of a cell of the guest",
  );
}

function optionalBytes(flag: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : bytes(flag, text);
}

function bytes(flag: string, text: string): number {
  const value = parseByteSize(/^\d+$/.test(text) ? Number(text) : text);
  if (value !== undefined) return value;
  throw usage(
    `${flag} is "${text}"`,
    'a whole number of bytes, or text such as "512M" or "32G" (binary multiples)',
    "write the number with K, M, G or T behind it",
  );
}
