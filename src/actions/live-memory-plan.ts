import { failure, type Result, success } from "../errors/index.ts";
import {
  type CheckMore,
  checkLiveRoom,
  type LiveFacts,
  LiveSite,
  type PlannedMemory,
} from "../hotplug/index.ts";
import type { Draft } from "../plan/draft.ts";
import { memoryDeviceDemands, planMemoryDevices } from "../plan/memory-devices.ts";
import { checkHostMemory } from "../plan/memory-host.ts";
import type { MemoryDevice } from "../profile/index.ts";
import type { System } from "../system/index.ts";
import { finishDraft, freeId, keptProfile, liveDraft, nodesNow } from "./live-plan.ts";

/** A memory device that is wanted; its id is undefined where a free one does. */
export type MemoryWish = Omit<MemoryDevice, "id"> & {
  readonly id: string | undefined;
  /** The port of a device that has one. */
  readonly bus: string | undefined;
};

const prefixes = { dimm: "dimm", "virtio-mem": "vmem", nvdimm: "nvdimm" };

/** Plans a memory device for a VM that runs, as a start does. */
export async function planMemory(
  system: System,
  name: string,
  { id: wanted, bus, ...device }: MemoryWish,
  facts: LiveFacts,
): Promise<Result<PlannedMemory>> {
  const profile = await keptProfile(system, name);
  // Looked at while QEMU answers what was asked ahead.
  const isOrdinary = (device.pageSize ?? profile.memory.pageSize) === undefined;
  const nodes = nodesNow(system, isOrdinary ? "ordinary" : "all");
  const id = wanted ?? (await freeId(prefixes[device.kind], facts));
  // DIMMs have slots of their own.
  const ports = device.kind === "virtio-mem" ? await facts.ports() : [];
  const room = checkLiveRoom(facts.plan, await facts.memoryDevices(), {
    id,
    kind: device.kind,
    sizeBytes: device.size,
  });
  const memory = { ...profile.memory, devices: [{ ...device, id }] };
  const draft = liveDraft(system, profile, { memory }, { nodes });
  const result = planOne(system, facts, draft, new LiveSite(draft, ports, { bus, cell: undefined }), id);
  if (room.length === 0) return result;
  return failure([...room, ...(result.ok ? [] : result.diagnostics)]);
}

function planOne(
  system: System,
  facts: LiveFacts,
  draft: Draft,
  site: LiveSite,
  id: string,
): Result<PlannedMemory> {
  const { cells } = facts.plan.placement;
  // The threads that take pages at the start are there still; QEMU in its sandbox could not make others.
  const contexts = facts.plan.options.filter(
    (option) => option.option === "object" && option.qomType === "thread-context",
  );
  draft.add(...contexts);
  const [placed] = planMemoryDevices(draft, site, cells);
  checkHostMemory(draft, memoryDeviceDemands(draft, cells), "now");
  checkFolder(system, draft);
  const finished = finishDraft(draft, id);
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

/** What speaks against a memory device's taking more of the host. */
export async function problemsOfMore(system: System, name: string, id: string): Promise<CheckMore> {
  const profile = await keptProfile(system, name);
  return ({ bytes, pageSizeBytes, cell }) => {
    const draft = liveDraft(system, profile, {});
    const { hostNodes, policy } = cell ?? {};
    const what = `memory device ${id}`;
    checkHostMemory(
      draft,
      [{ what, bytes, pageSizeBytes, hostNodes, policy, path: [], pageSizePath: [] }],
      "now",
    );
    return draft.problems;
  };
}

/** The command line has no places. */
const withoutPath = <Problem extends { readonly path: unknown }>(problem: Problem) => ({
  ...problem,
  path: [],
});
