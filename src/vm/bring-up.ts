import { renderArgv } from "../argv/render.ts";
import { takenAtStart } from "../plan/taken-memory.ts";
import type { Plan } from "../plan/types.ts";
import { type QmpClient, QmpDisconnectedError } from "../qmp/index.ts";
import type { StartedProcess, System } from "../system/index.ts";
import type { Account } from "./accounts.ts";
import { awaitPciTree } from "./await-pci.ts";
import { awaitReady, exitSoon } from "./await-ready.ts";
import { explainExit } from "./death.ts";
import { copyOwnFile, writeDocuments } from "./documents.ts";
import { startHelper } from "./helpers.ts";
import type { Journal } from "./journal.ts";
import { findWarnings, readWords } from "./last-words.ts";
import { boundCells, memoryPlaces, verifyMemory } from "./memory-policy.ts";
import { type ProcessMemory, readProcessMemory } from "./numa-maps.ts";
import { plannedHotplugPorts } from "./pci-tree.ts";
import { pinThreads } from "./pin-threads.ts";
import { asRefusal } from "./qmp-refusal.ts";
import type { Places } from "./run-root.ts";
import { startQemu } from "./start-qemu.ts";
import { stepper } from "./steps.ts";
import type { LaunchRequest } from "./types.ts";
import { bindDevices } from "./vfio/bind-devices.ts";
import { verifyDevices } from "./vfio/verify.ts";

export interface BringUp {
  readonly system: System;
  readonly request: LaunchRequest;
  readonly plan: Plan;
  readonly places: Places;
  readonly account: Account | undefined;
  readonly journal: Journal;
}

const bindStep = "bind devices";
const firmwareStep = "wait for the firmware";

/** The steps of a start, from its run directory to a VM that runs as planned. Each notes at once how to undo it. */
export async function bringUp(start: BringUp): Promise<StartedProcess> {
  const { system, request, plan, places, account, journal } = start;
  const { emit, signal } = request;
  const step = stepper({ system, emit, signal });

  await step("write the plan", () => writeDocuments(system, places, plan, request));
  for (const copy of plan.run.copies) {
    await step(`copy ${copy.source}`, () => copyOwnFile(system, journal, account, copy), String);
  }
  for (const helper of plan.run.helpers) {
    await step(`start ${helper.id}`, () => startHelper({ system, places, journal, account }, helper));
  }
  const { passthrough } = plan.run;
  if (passthrough.length > 0) {
    await step(
      bindStep,
      () => bindDevices({ system, plan, journal, account, emit, step: bindStep }, passthrough),
      () =>
        `${passthrough.length === 1 ? passthrough[0]?.address : `${passthrough.length} functions`} on vfio-pci`,
    );
  }
  const started = await step(
    "start QEMU",
    () => startQemu({ system, plan, journal, account, arguments: renderArgv(plan) }),
    ({ pid }) => `process ${pid}`,
  );
  const taken = takenAtStart(plan);
  let memory: ProcessMemory | undefined;
  const onGreeting = () => {
    // QEMU has made the memory by now and goes on with its devices: a look costs no time, and is taken anew if need be.
    if (boundCells(memoryPlaces(plan.placement)).length === 0) return;
    memory = readProcessMemory(system.files, started.pid);
  };
  const qmp = await step("wait for QEMU", () =>
    awaitReady({ system, started, places, taken, onGreeting, emit, signal }),
  );
  try {
    await settle(start, { pid: started.pid, memory }, qmp, step);
  } catch (error) {
    if (!(error instanceof QmpDisconnectedError)) throw asRefusal(error, plan.name);
    const exit = await exitSoon(system, started.exited);
    throw exit === undefined ? asRefusal(error, plan.name) : explainExit(system.files, places.logFile, exit);
  } finally {
    await qmp.close();
  }
  for (const message of findWarnings(readWords(system.files, places.logFile))) {
    emit({ type: "notice", level: "warning", message });
  }
  return started;
}

/** QEMU's process, and its memory as the kernel showed it before it answered. */
interface Answering {
  readonly pid: number;
  readonly memory: ProcessMemory | undefined;
}

/** Makes the QEMU that answers the one that was planned, then lets the guest run. */
async function settle(
  { system, request, plan, journal }: BringUp,
  { pid, memory: seen }: Answering,
  qmp: QmpClient,
  step: ReturnType<typeof stepper>,
): Promise<void> {
  const { files } = system;
  const { placement } = plan;
  // Asked with the threads: an answer takes QEMU longer than the question.
  const memdevs = qmp.execute("query-memdev");
  memdevs.catch(() => {});
  await step(
    "pin the threads",
    () => pinThreads(system, pid, placement, qmp),
    (count) => (count === 0 ? "none is to be pinned" : `${count} threads, read back from /proc`),
  );
  const { passthrough } = plan.run;
  if (passthrough.length > 0) {
    await step(
      "check the devices",
      () => verifyDevices(files, passthrough, qmp),
      (count) => `QEMU has ${count} of the host's, and they answer`,
    );
  }
  const memory = await step(
    "check the memory policy",
    async () => verifyMemory(files, pid, memoryPlaces(placement), await memdevs, seen),
    ({ verified }) => (verified === 0 ? "no cell is bound" : `${verified} cells bound as planned`),
  );
  if (memory.unread !== undefined) {
    const message = `where the memory is cannot be checked: ${memory.unread}`;
    request.emit({ type: "notice", level: "warning", message });
  }
  // From here on a start that is cut off leaves a complete VM.
  journal.update({ phase: "running", worker: null });
  if (request.paused) return;
  await step("let the guest run", () => qmp.execute("cont"));
  if (plan.run.largeBars === true) await lookAtFirmware({ system, request, plan }, qmp, step);
}

/** Large BARs are what a firmware finds no room for: whether it did is told, and stops nothing. */
async function lookAtFirmware(
  { system, request, plan }: Pick<BringUp, "system" | "request" | "plan">,
  qmp: QmpClient,
  step: ReturnType<typeof stepper>,
): Promise<void> {
  const { emit, signal } = request;
  const hotplugPorts = plannedHotplugPorts(plan);
  const { state, elapsedMs } = await step(
    firmwareStep,
    () => awaitPciTree({ system, qmp, hotplugPorts, emit, signal, step: firmwareStep }),
    ({ state: { problems } }) =>
      problems.length === 0 ? "every bridge and BAR has an address" : "it is not done, or found no room",
  );
  for (const text of state.problems) {
    const seconds = Math.round(elapsedMs / 1000);
    const message = `after ${seconds} s: ${text}; look again, since it may take longer: qlaunch info ${plan.name}`;
    emit({ type: "notice", level: state.numbered ? "warning" : "info", message });
  }
}
