import { QlaunchError } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import { allowedCpus } from "../vm/affinity.ts";
import { findVm } from "../vm/find.ts";
import { verifyMemory } from "../vm/memory-policy.ts";
import { planPins } from "../vm/pin.ts";
import { asRefusal } from "../vm/qmp-refusal.ts";
import { type OpenVm, openVm } from "../vm/session.ts";
import type { Operation } from "./operation.ts";
import { listOperations } from "./operation-store.ts";
import { readVcpus } from "./vcpu-list.ts";

/** One thing that is not as the plan of the start has it. */
export interface Drift {
  /** What it is about: "vCPU 4", "memory device d0", "device net1", "vCPU 2's thread 4711", "memory". */
  readonly what: string;
  readonly planned: string;
  readonly found: string;
  /** The operation that made it so; undefined when none of this program's did. */
  readonly operation: string | undefined;
}

/**
 * Compares a running VM with the plan that it was started from: vCPUs, memory devices, devices, and where threads and
 * memory are. What came by `qlaunch` names its operation; what came by another way does not.
 * @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY, QMP_DISCONNECTED
 */
export async function findDrift(system: System, name: string): Promise<Drift[]> {
  const operations = listOperations(system.files, findVm(system, name).places.directory);
  const done = operations.filter(({ state }) => state === "done").reverse();
  const vm = await openVm(system, name);
  try {
    return [
      ...(await vcpuDrift(vm, done)),
      ...(await memoryDrift(vm, done)),
      ...(await deviceDrift(vm, done)),
      ...(await threadDrift(system, vm)),
      ...(await policyDrift(system, vm)),
    ];
  } catch (error) {
    throw asRefusal(error, name);
  } finally {
    await vm.close();
  }
}

async function vcpuDrift(vm: OpenVm, done: readonly Operation[]): Promise<Drift[]> {
  const vcpus = await readVcpus(vm);
  return vcpus
    .filter(({ placed, present }) => placed.boot !== present)
    .map(({ placed: { id, boot } }) => ({
      what: `vCPU ${id}`,
      planned: boot ? "present" : "absent at the start",
      found: boot ? "absent" : "present",
      operation: done.find(
        ({ kind, request }) => kind === "setvcpus" && names(request, boot ? "remove" : "add", id),
      )?.id,
    }));
}

const names = (request: Operation["request"], key: string, id: number) => {
  const ids = request[key];
  return Array.isArray(ids) && ids.includes(id);
};

async function memoryDrift({ plan, qmp }: OpenVm, done: readonly Operation[]): Promise<Drift[]> {
  const found = (await qmp.execute("query-memory-devices")).map(({ type, data }) => ({
    id: data.id ?? "(no id)",
    text: `${type} of ${"size" in data ? describeByteSize(data.size) : "some size"} on cell ${"node" in data ? data.node : 0}`,
  }));
  const planned = plan.placement.memoryDevices.map(({ id, kind, memoryBytes, cell }) => ({
    id,
    text: `${kind} of ${describeByteSize(memoryBytes)} on cell ${cell}`,
  }));
  return compareSets("memory device", planned, found, (id, gone) => operationFor(done, id, gone, "memory"));
}

async function deviceDrift({ plan, qmp }: OpenVm, done: readonly Operation[]): Promise<Drift[]> {
  const list = await qmp.execute("qom-list", { path: "/machine/peripheral" });
  const memory = new Set((await qmp.execute("query-memory-devices")).map(({ data }) => data.id));
  const isOther = (id: string, driver: string) => driver.endsWith("-x86_64-cpu") || memory.has(id);
  const found = list
    .filter(({ type }) => type.startsWith("child<"))
    .map(({ name, type }) => ({ id: name, text: type.slice("child<".length, -1) }))
    .filter(({ id, text }) => !isOther(id, text));
  const memoryIds = new Set(plan.placement.memoryDevices.map(({ id }) => id));
  const planned = plan.options.flatMap((option) =>
    option.option === "device" && option.id !== undefined && !memoryIds.has(option.id)
      ? [{ id: option.id, text: option.driver }]
      : [],
  );
  return compareSets(
    "device",
    planned.filter(({ text }) => !text.endsWith("-x86_64-cpu")),
    found,
    (id, gone) => operationFor(done, id, gone, "device"),
    false,
  );
}

interface Thing {
  readonly id: string;
  readonly text: string;
}

/** @param compareTexts false where QEMU may spell the same thing otherwise */
function compareSets(
  what: string,
  planned: readonly Thing[],
  found: readonly Thing[],
  operationOf: (id: string, gone: boolean) => string | undefined,
  compareTexts = true,
): Drift[] {
  const expected = new Map(planned.map(({ id, text }) => [id, text]));
  const actual = new Map(found.map(({ id, text }) => [id, text]));
  const ids = [...new Set([...expected.keys(), ...actual.keys()])];
  return ids
    .filter((id) =>
      compareTexts ? expected.get(id) !== actual.get(id) : expected.has(id) !== actual.has(id),
    )
    .map((id) => ({
      what: `${what} ${id}`,
      planned: expected.get(id) ?? "absent at the start",
      found: actual.get(id) ?? "absent",
      operation: operationOf(id, !actual.has(id)),
    }));
}

function operationFor(
  done: readonly Operation[],
  id: string,
  gone: boolean,
  prefix: "memory" | "device",
): string | undefined {
  const kinds = gone ? [`${prefix}-remove`] : [`${prefix}-add`, `${prefix}-resize`];
  return done.find(({ kind, request }) => kinds.includes(kind) && request.id === id)?.id;
}

async function threadDrift(system: System, { plan, qmp, record }: OpenVm): Promise<Drift[]> {
  const pid = record.qemu?.pid ?? 0;
  const [cpus, iothreads] = await Promise.all([
    qmp.execute("query-cpus-fast"),
    qmp.execute("query-iothreads"),
  ]);
  const vcpus = new Map(cpus.map((cpu) => [cpu["cpu-index"], cpu["thread-id"]]));
  return planPins(system, plan.placement, { pid, vcpus, iothreads }).flatMap((pin) => {
    const found = allowedCpus(system.files, pid, pin.threadId);
    // Workers of QEMU's come and go.
    if (found === undefined || formatIdSet(found) === formatIdSet(pin.hostCpus)) return [];
    return [
      {
        what: `${pin.what}, thread ${pin.threadId}`,
        planned: `host CPU ${formatIdSet(pin.hostCpus)}`,
        found: `host CPU ${formatIdSet(found)}`,
        operation: undefined,
      },
    ];
  });
}

async function policyDrift(system: System, { plan, qmp, record }: OpenVm): Promise<Drift[]> {
  try {
    verifyMemory(system.files, record.qemu?.pid ?? 0, cellsOf(plan), await qmp.execute("query-memdev"));
    return [];
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    return error.diagnostics.map(({ found, needed }) => ({
      what: "memory",
      planned: needed,
      found,
      operation: undefined,
    }));
  }
}

const cellsOf = (plan: Plan) => plan.placement.cells;
