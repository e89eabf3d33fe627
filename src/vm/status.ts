import { QlaunchError } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import type { QmpClient, RunState } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import { type FoundVm, findVm } from "./find.ts";
import { type PciTreeState, plannedHotplugPorts, readPciTree } from "./pci-tree.ts";
import { isAlive, readStat, residentBytes, ticksPerSecond } from "./process.ts";
import { describeDeath, listNames, readLiveness, type VmRecord } from "./record.ts";
import { checkOwnFolder, runRoot } from "./run-root.ts";
import { openMonitor, readPlan, requireRunning } from "./session.ts";
import type { VmDetail, VmState, VmSummary } from "./types.ts";

/** A monitor that is busy with another command is not waited for: /proc tells enough. */
const askMs = 500;

/** Every VM of this run root, by name. */
export async function listVms(system: System): Promise<VmSummary[]> {
  const root = runRoot(system);
  checkOwnFolder(system, root);
  const names = listNames(system.files, root);
  return (await Promise.all(names.map((name) => summarizeNamed(system, name)))).flat();
}

/** One bad folder does not hide the other VMs; one that just ended is no VM any more. */
async function summarizeNamed(system: System, name: string): Promise<VmSummary[]> {
  try {
    return [await summarize(system, findVm(system, name))];
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    const [problem] = error.diagnostics;
    if (problem === undefined || problem.code === "VM_UNKNOWN") return [];
    return [{ ...unknown, name, state: "broken", problem: `${problem.found}; ${problem.fix}` }];
  }
}

/** @throws QlaunchError VM_UNKNOWN */
export async function describeVm(system: System, name: string): Promise<VmDetail> {
  const found = findVm(system, name);
  const { places, reading } = found;
  const record = reading.kind === "record" ? reading.record : undefined;
  return {
    ...(await summarize(system, found)),
    uuid: record?.uuid,
    createdMs: record?.createdMs,
    program: record?.program,
    directory: places.directory,
    logFile: places.logFile,
    monitorSocket: places.monitorSocket,
    consoles: record === undefined ? [] : consolesOf(system, found),
    helpers: (record?.helpers ?? []).map(({ id, process }) => ({
      id,
      pid: process.pid,
      running: isAlive(system.files, process),
    })),
    exclusiveCpus: record?.exclusiveCpus ?? [],
    pciFunctions: record?.pciFunctions ?? [],
    cells: record?.cells ?? [],
    pciTree: record === undefined ? undefined : await askPciTree(system, found, record),
  };
}

/** What the firmware of a running VM made of its PCI tree. @throws QlaunchError VM_STALE, VM_STATE, VM_BUSY, QMP_DISCONNECTED */
export async function readVmPciTree(system: System, found: FoundVm, plan: Plan): Promise<PciTreeState> {
  const { qmp, close } = await openMonitor(system, found, requireRunning(system, found));
  try {
    return readPciTree(await qmp.execute("query-pci"), plannedHotplugPorts(plan));
  } finally {
    await close();
  }
}

async function summarize(system: System, found: FoundVm): Promise<VmSummary> {
  const { name, reading } = found;
  if (reading.kind !== "record") return { ...unknown, name, state: "broken", problem: reading.problem };
  const { record } = reading;
  const { qemu, worker } = readLiveness(system.files, record);
  const known = {
    ...unknown,
    name,
    vcpus: record.vcpus,
    memoryBytes: record.memoryBytes,
    ...(qemu && record.qemu ? processFacts(system, record.qemu.pid) : {}),
  };
  if (record.phase === "starting" && worker) return { ...known, state: "starting" };
  if (record.phase === "starting" || !qemu) {
    const problem = `${describeDeath(record)}; qlaunch down ${name} takes away what is left`;
    return { ...known, state: record.phase === "starting" ? "interrupted" : "ended", problem };
  }
  if (record.phase === "stopping" && worker) return { ...known, state: "stopping" };
  const qemuState = await askState(system, found, record);
  return { ...known, state: stateOf(qemuState), qemuState };
}

const unknown = {
  qemuState: undefined,
  pid: undefined,
  uptimeMs: undefined,
  vcpus: undefined,
  memoryBytes: undefined,
  residentBytes: undefined,
  problem: undefined,
} as const;

function processFacts(system: System, pid: number) {
  const stat = readStat(system.files, pid);
  const sinceBootMs = Number(system.files.tryReadText("/proc/uptime")?.split(" ")[0] ?? 0) * 1000;
  return {
    pid,
    uptimeMs: stat && Math.max(0, Math.round(sinceBootMs - (stat.startTimeTicks / ticksPerSecond) * 1000)),
    residentBytes: residentBytes(system.files, pid),
  };
}

function askState(system: System, found: FoundVm, record: VmRecord): Promise<RunState | undefined> {
  return ask(
    system,
    found,
    record,
    async (qmp) => (await qmp.execute("query-status", {}, { timeoutMs: askMs })).status,
  );
}

async function askPciTree(
  system: System,
  found: FoundVm,
  record: VmRecord,
): Promise<PciTreeState | undefined> {
  if (record.phase !== "running" || !readLiveness(system.files, record).qemu) return undefined;
  const hotplugPorts = plannedHotplugPorts(readPlan(system, found));
  return ask(system, found, record, async (qmp) =>
    readPciTree(await qmp.execute("query-pci", {}, { timeoutMs: askMs }), hotplugPorts),
  );
}

/** Undefined when the monitor does not answer at once. */
async function ask<T>(
  system: System,
  found: FoundVm,
  record: VmRecord,
  question: (qmp: QmpClient) => Promise<T>,
): Promise<T | undefined> {
  try {
    const { qmp, close } = await openMonitor(system, found, record, askMs);
    try {
      return await question(qmp);
    } finally {
      await close();
    }
  } catch {
    return undefined;
  }
}

function stateOf(qemuState: RunState | undefined): VmState {
  switch (qemuState) {
    case undefined:
    case "running":
      return "running";
    case "paused":
    case "prelaunch":
      return "paused";
    default:
      return "halted";
  }
}

function consolesOf(system: System, found: FoundVm): VmDetail["consoles"] {
  try {
    return readPlan(system, found).run.consoles.map(({ id, type, socket }) => ({ id, type, socket }));
  } catch (error) {
    // A look at a VM tells what can be told.
    if (error instanceof QlaunchError) return [];
    throw error;
  }
}
