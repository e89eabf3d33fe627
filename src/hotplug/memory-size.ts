import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { PlacedCell } from "../plan/types.ts";
import { describeByteSize, formatByteSize } from "../units/index.ts";
import type { LiveVm } from "./live.ts";
import { type LiveMemoryDevice, readMemoryDevices } from "./memory-list.ts";
import { type MemoryOutcome, memoryOutcome, unknownMemory } from "./memory-outcome.ts";
import type { ResizeRequest } from "./memory-resize.ts";
import { isEnded, type Operation } from "./operation.ts";
import { OperationJournal } from "./operation-journal.ts";
import { runOperation, takeUpOperations } from "./operation-run.ts";
import { listOperations } from "./operation-store.ts";

/** What speaks against taking that much more from the host. */
export type CheckMore = (want: {
  readonly bytes: number;
  /** 0 for ordinary pages. */
  readonly pageSizeBytes: number;
  readonly cell: PlacedCell | undefined;
}) => readonly Diagnostic[];

/** The work of `resizeMemory`. */
export async function resizeMemoryOf(
  live: LiveVm,
  id: string,
  sizeBytes: number,
  check: CheckMore,
): Promise<MemoryOutcome> {
  await takeUpOperations(live);
  const devices = await readMemoryDevices(live.qmp);
  const device = devices.find((known) => known.id === id);
  if (device === undefined) throw unknownMemory(live, id, devices);
  return memoryOutcome(live, id, await resizeOperation(live, id, device, sizeBytes, check));
}

/** Checks a new size and carries it out; an older request for the same device gives way. */
async function resizeOperation(
  live: LiveVm,
  id: string,
  device: LiveMemoryDevice,
  sizeBytes: number,
  check: CheckMore,
): Promise<Operation> {
  checkSize(live, id, device, sizeBytes);
  const problems = check({
    bytes: Math.max(0, sizeBytes - device.sizeBytes),
    pageSizeBytes: await readPageSize(live, device),
    cell: live.plan.placement.cells.find((cell) => cell.id === device.cell),
  });
  if (problems.some(({ severity }) => severity === "error")) throw new QlaunchError(problems);
  for (const older of listOperations(live.system.files, live.directory)) {
    if (older.kind !== "memory-resize" || older.request.id !== id || isEnded(older)) continue;
    OperationJournal.takeUp(live.system, live.directory, older).enter(
      "cancelled",
      "another size was asked for",
    );
  }
  return runOperation(live, {
    kind: "memory-resize",
    subject: `virtio-mem ${id} from ${describeByteSize(device.sizeBytes)} to ${describeByteSize(sizeBytes)}`,
    request: { id, sizeBytes } satisfies ResizeRequest,
  });
}

async function readPageSize({ qmp }: LiveVm, { memdev }: LiveMemoryDevice): Promise<number> {
  const path = `/objects/${memdev}`;
  const properties = await qmp.execute("qom-list", { path });
  if (!properties.some(({ name }) => name === "hugetlb")) return 0;
  const huge = await qmp.execute("qom-get", { path, property: "hugetlb" });
  return huge === true ? Number(await qmp.execute("qom-get", { path, property: "hugetlbsize" })) : 0;
}

function checkSize({ name }: LiveVm, id: string, device: LiveMemoryDevice, sizeBytes: number): void {
  if (device.kind !== "virtio-mem") {
    throw refusal("LIVE_DEVICE_KIND", {
      found: `${id} of ${name} is of kind ${device.kind}`,
      needed: "a virtio-mem device: the others are there as a whole",
      fix: `qlaunch memory add ${name} and qlaunch memory remove ${name} ${id}`,
    });
  }
  const unit = device.blockBytes ?? 1;
  if (sizeBytes % unit !== 0) {
    throw refusal("MEMORY_ALIGNMENT", {
      found: `${formatByteSize(sizeBytes)} for ${id}`,
      needed: `a multiple of ${describeByteSize(unit)}, the device's blocks`,
      fix: `write ${formatByteSize(Math.round(sizeBytes / unit) * unit)}`,
    });
  }
  if (sizeBytes <= device.maxBytes) return;
  throw refusal("LIVE_MEMORY_ROOM", {
    found: `${describeByteSize(sizeBytes)} for ${id}, which has ${describeByteSize(device.maxBytes)} at most`,
    needed: "no more than its size",
    fix: `write ${formatByteSize(device.maxBytes)} or less, or add another device`,
  });
}
