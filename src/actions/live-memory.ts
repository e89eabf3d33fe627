import { failure, type Result, success } from "../errors/index.ts";
import {
  addMemory,
  checkLiveRoom,
  type LiveFacts,
  type LiveMemoryDevice,
  type LiveOptions,
  type LivePort,
  LiveSite,
  listMemoryDevices,
  type MemoryOutcome,
  type PlannedMemory,
  removeMemory,
  resizeMemory,
} from "../hotplug/index.ts";
import type { Draft } from "../plan/draft.ts";
import { memoryDeviceDemands, planMemoryDevices } from "../plan/memory-devices.ts";
import { checkHostMemory } from "../plan/memory-host.ts";
import { type MemoryDevice, type Profile, resolvePath } from "../profile/index.ts";
import type { System } from "../system/index.ts";
import { parseByteSize } from "../units/index.ts";
import { checkId, finishDraft, freeId, keptProfile, liveDraft, usage } from "./live-plan.ts";

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
  const device = parseRequest(system, request);
  return addMemory(system, name, options, async (facts) => {
    const profile = await keptProfile(system, name);
    const id = request.id ?? (await freeId(prefixes[request.kind], facts));
    // DIMMs have slots of their own.
    const ports = device.kind === "virtio-mem" ? await facts.ports() : [];
    const room = checkLiveRoom(facts.plan, await facts.memoryDevices(), {
      id,
      kind: device.kind,
      sizeBytes: device.size,
    });
    const result = planOne(system, profile, facts, { ...device, id }, { ports, bus: request.bus });
    if (room.length === 0) return result;
    return failure([...room, ...(result.ok ? [] : result.diagnostics)]);
  });
}

const prefixes = { dimm: "dimm", "virtio-mem": "vmem", nvdimm: "nvdimm" };

function planOne(
  system: System,
  profile: Profile,
  facts: LiveFacts,
  device: MemoryDevice,
  { ports, bus }: { readonly ports: readonly LivePort[]; readonly bus: string | undefined },
): Result<PlannedMemory> {
  const { cells } = facts.plan.placement;
  const draft = liveDraft(system, profile, { memory: { ...profile.memory, devices: [device] } });
  // The threads that take pages at the start are there still; QEMU in its sandbox could not make others.
  const contexts = facts.plan.options.filter(
    (option) => option.option === "object" && option.qomType === "thread-context",
  );
  draft.add(...contexts);
  const [placed] = planMemoryDevices(draft, new LiveSite(draft, ports, { bus, cell: undefined }), cells);
  checkHostMemory(draft, memoryDeviceDemands(draft, cells), "now");
  checkFolder(system, draft);
  const finished = finishDraft(draft, device.id);
  if (!finished.ok) return failure(finished.diagnostics.map(withoutPath));
  if (placed === undefined) throw new Error("a memory device without a place");
  return success(
    {
      ...finished.value,
      options: finished.value.options.filter((option) => !contexts.includes(option)),
      device: placed,
    },
    finished.warnings.map(withoutPath),
  );
}

/** A file can back one piece of memory only. */
function checkFolder(system: System, draft: Draft): void {
  const { backend, path, devices } = draft.profile.memory;
  if (backend !== "file" || path === undefined || devices[0]?.kind === "nvdimm") return;
  if (system.files.facts(path)?.kind === "directory") return;
  draft.refuse("MEMORY_BACKEND", ["memory", "path"], {
    found: `memory in the file ${path}, which holds the guest's memory already`,
    needed: "a folder, in which each piece of memory has a file of its own",
    fix: "name a folder such as a hugetlbfs mount in memory.path, and start the VM again",
  });
}

/** The command line has no places. */
const withoutPath = <Problem extends { readonly path: unknown }>(problem: Problem) => ({
  ...problem,
  path: [],
});

/** @param size "8G", or 0 to take all back @throws QlaunchError USAGE, and those of `resizeMemory` in hotplug */
export async function resizeMemoryDevice(
  system: System,
  name: string,
  id: string,
  size: string,
  options: LiveOptions,
): Promise<MemoryOutcome> {
  const profile = await keptProfile(system, name);
  return resizeMemory(system, name, id, bytes("size", size), options, (want) => {
    const draft = liveDraft(system, profile, {});
    checkHostMemory(
      draft,
      [
        {
          what: `memory device ${id}`,
          bytes: want.bytes,
          pageSizeBytes: want.pageSizeBytes,
          hostNodes: want.cell?.hostNodes,
          policy: want.cell?.policy,
          path: [],
          pageSizePath: [],
        },
      ],
      "now",
    );
    return draft.problems;
  });
}

function parseRequest(system: System, request: MemoryRequest): MemoryDevice {
  const { kind, path } = request;
  if (request.id !== undefined) checkId(request.id);
  return {
    id: "",
    kind,
    size: bytes("--size", request.size),
    cell: cellOf(request.cell),
    pageSize: optionalBytes("--page-size", request.pageSize),
    requested: optionalBytes("--requested", request.requested),
    path: path === undefined ? undefined : resolvePath(system.user.workingDirectory, path),
    labelSize: optionalBytes("--label-size", request.labelSize),
    align: optionalBytes("--align", request.align),
    pmem: request.pmem ? true : undefined,
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
