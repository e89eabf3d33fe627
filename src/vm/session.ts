import { refusal } from "../errors/index.ts";
import type { Plan } from "../plan/types.ts";
import { QmpClient, QmpError } from "../qmp/index.ts";
import { type System, SystemError } from "../system/index.ts";
import { type FoundVm, findVm, requireRecord } from "./find.ts";
import { describeDeath, planFile, readLiveness, transcriptFile, type VmRecord } from "./record.ts";
import { transcriptTo } from "./transcript.ts";

/** A running VM and a monitor to talk to it. */
export interface OpenVm extends Monitor {
  readonly plan: Plan;
}

/** A running VM's monitor; it serves nobody else until it is closed. */
export interface Monitor {
  readonly record: VmRecord;
  readonly qmp: QmpClient;
  close(): Promise<void>;
}

/** How long another command may keep the monitor. */
const busyMs = 10_000;

/** @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY, QMP_DISCONNECTED */
export async function openVm(system: System, name: string): Promise<OpenVm> {
  const found = findVm(system, name);
  const plan = readPlan(system, found);
  return { ...(await openMonitor(system, found, requireRunning(system, found))), plan };
}

/** The same without the plan. */
export async function openNamedMonitor(system: System, name: string): Promise<Monitor> {
  const found = findVm(system, name);
  return openMonitor(system, found, requireRunning(system, found));
}

/** The record of a VM whose QEMU runs. @throws QlaunchError VM_STALE, VM_STATE */
export function requireRunning(system: System, found: FoundVm): VmRecord {
  const record = requireRecord(found);
  const { qemu, worker } = readLiveness(system.files, record);
  if (record.phase === "starting" && worker) {
    throw refusal("VM_STATE", {
      found: `${record.name} is being started by process ${record.worker?.pid}`,
      needed: "a VM that has started",
      fix: "wait for the start to end",
    });
  }
  if (qemu && record.phase !== "starting") return record;
  throw refusal("VM_STALE", {
    found: `${record.name} does not run: ${describeDeath(record)}`,
    needed: "a running VM",
    fix: `take away what it left with: qlaunch down ${record.name}; or start it again: qlaunch up does both`,
  });
}

/** @throws QlaunchError VM_STALE */
export function readPlan(system: System, found: FoundVm): Plan {
  try {
    // Ours alone, and written whole: what is in it is what the start wrote.
    const plan = JSON.parse(system.files.readText(planFile(found.places.directory))) as Plan;
    // Plans of older programs have no devices of the host.
    return { ...plan, run: { ...plan.run, passthrough: plan.run.passthrough ?? [] } };
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof SyntaxError)) throw error;
    throw refusal("VM_STALE", {
      found: `the plan of ${found.name} cannot be read`,
      needed: planFile(found.places.directory),
      fix: `qlaunch down ${found.name}, and start it again`,
      detail: error.message,
    });
  }
}

/** @throws QlaunchError VM_BUSY, QMP_DISCONNECTED */
export async function openMonitor(
  system: System,
  found: FoundVm,
  record: VmRecord,
  greetingTimeoutMs = busyMs,
): Promise<Monitor> {
  const { places, name } = found;
  let qmp: QmpClient;
  try {
    qmp = new QmpClient(await system.sockets.connect(places.qmpSocket), {
      greetingTimeoutMs,
      transcript: transcriptTo(system.files, transcriptFile(places.directory)),
    });
    // Not until the negotiation is answered: commands can be sent behind it.
    await qmp.greeting;
  } catch (error) {
    throw explainConnect(name, places.qmpSocket, error);
  }
  return { record, qmp, close: () => qmp.close() };
}

export function explainConnect(name: string, socket: string, error: unknown): unknown {
  const isFull = error instanceof SystemError && error.code === "EAGAIN";
  if (isFull || (error instanceof QmpError && error.name === "QmpTimeoutError")) {
    return refusal(
      "VM_BUSY",
      {
        found: `the monitor ${socket} of ${name} ${isFull ? "has others waiting already" : "does not greet"}`,
        needed: "one client at a time, and a QEMU that answers",
        fix: "end the other command that uses it, or look at the log: qlaunch logs",
        detail: error.message,
      },
      { cause: error },
    );
  }
  if (!(error instanceof QmpError || error instanceof SystemError)) return error;
  return refusal(
    "QMP_DISCONNECTED",
    {
      found: `the monitor ${socket} of ${name} cannot be reached`,
      needed: "the socket that QEMU made at its start",
      fix: `look whether QEMU still works: qlaunch logs ${name}`,
      detail: error.message,
    },
    { cause: error },
  );
}
