import { QlaunchError } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import { type PciFunction, readPci } from "../host/index.ts";
import { type Assignment, compareDrivers, type InsideReport, placedProfile } from "../rehearse/index.ts";
import { type System, SystemError } from "../system/index.ts";
import { type Row, verifyVm } from "../verify/index.ts";
import { findVm, readPlan, readVmLog, stopVm } from "../vm/index.ts";
import { startProfile } from "./start.ts";

export interface InsideOptions {
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  readonly version: string;
}

/** The part of a rehearsal that runs on the simulated host: starts the guest, asks it, and takes it down again. */
export async function rehearseInside(
  system: System,
  file: string,
  options: InsideOptions,
): Promise<InsideReport> {
  const assignment = JSON.parse(system.files.readText(file)) as Assignment;
  if (assignment.devices.length > 0) await loadDrivers(system);
  const before = readPci(system.files).pci;
  let name: string | undefined;
  try {
    const { profile, addresses } = placedProfile(assignment, before);
    const profileFile = `${file}.profile`;
    system.files.writeAtomically(profileFile, `${JSON.stringify(profile, undefined, 2)}\n`);
    const vm = await startProfile(system, { profileFile, paused: false, ...options });
    name = vm.name;
    const { emit } = options;
    const verification = await verifyVm(system, name, { timeoutMs: assignment.answerMs, emit });
    const { devices } = readPlan(system, findVm(system, name));
    await takeDown(system, name, emit);
    return { type: "result", verification, devices, drivers: driversAfter(system, addresses, before) };
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    const log = name === undefined ? [] : readLogs(system, name);
    if (name !== undefined) await takeDown(system, name, options.emit);
    return { type: "problems", diagnostics: error.diagnostics, log };
  }
}

/** So that stand-ins leave a driver, as hardware does, and get it back. Without them they are as good. */
async function loadDrivers(system: System): Promise<void> {
  await system.processes.run("modprobe", ["-a", "nvme", "e1000e"]);
}

function driversAfter(
  system: System,
  addresses: ReadonlyMap<string, string>,
  before: readonly PciFunction[],
): Row[] {
  return addresses.size === 0 ? [] : compareDrivers(addresses, before, readPci(system.files).pci);
}

/** Nothing in the guest is to be saved. */
async function takeDown(system: System, name: string, emit: EventSink): Promise<void> {
  const began = system.clock.elapsedMs();
  const step = "end the guest";
  emit({ type: "step-started", step });
  const { how } = await stopVm(system, name, {
    force: true,
    emit: (event) => {
      if (event.type !== "step-undone" || event.problem !== undefined) emit(event);
    },
  });
  emit({ type: "step-ended", step, elapsedMs: system.clock.elapsedMs() - began, summary: how });
}

const lastLines = 40;

function readLogs(system: System, name: string): string[] {
  return (["qemu", "console"] as const).flatMap((source) => {
    try {
      const lines = readVmLog(system, name, { source }).trimEnd().split("\n").slice(-lastLines);
      return [`${source}:`, ...lines];
    } catch (error) {
      if (!(error instanceof QlaunchError || error instanceof SystemError)) throw error;
      return [];
    }
  });
}
