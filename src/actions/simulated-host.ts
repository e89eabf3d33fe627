import { refusal } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import type { Plan } from "../plan/index.ts";
import {
  type HostSockets,
  jobPort,
  simulatedHostName as name,
  outputPort,
  type TalkEnding,
  talkToHost,
} from "../rehearse/index.ts";
import { join, type System, SystemError } from "../system/index.ts";
import type { PlannedPlace } from "../verify/index.ts";
import { findVm, readPlan, readVmLog, stopVm } from "../vm/index.ts";
import { startProfile } from "./start.ts";

export interface SimulatedRun {
  /** A folder of this run's own, for profile, run directory and logs. */
  readonly folder: string;
  readonly profile: object;
  /** The job, made when the simulated host is planned: from where its devices are. */
  readonly job: (places: readonly PlannedPlace[]) => string;
  /** How long the job may take. */
  readonly jobMs: number;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  readonly version: string;
  /** What the job prints, in pieces. */
  readonly onOutput: (piece: Buffer) => void;
}

/** It takes 10 s on an idle machine. */
const bootMs = 120_000;
const bootStep = "boot the simulated host";
const lastLines = 40;

/**
 * Starts a simulated host, gives it a job, and ends it again, whatever happens. QEMU without KVM now and then goes on
 * with code that another CPU has changed since, mostly early in a boot, and such a host stands still before it has begun
 * with the job: it is started once more.
 * @returns the job's exit status
 * @throws QlaunchError REHEARSE_HOST, and what a start refuses
 */
export async function runOnSimulatedHost(system: System, run: SimulatedRun): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const ending = await runOnce(system, run);
    if (ending.kind === "ended") return ending.status;
    if (ending.kind === "aborted" || ending.wasReady || attempt > 1) throw explainEnding(ending);
    run.emit({
      type: "notice",
      level: "warning",
      message: "the simulated host stood still before it was ready; it is started once more",
    });
  }
}

/** The same machine with a run directory of its own, and its own QEMU: nested KVM is steadiest in the distribution's. */
function privateSystem(system: System, folder: string): System {
  const { QLAUNCH_QEMU, ...others } = system.user.environment;
  const hasUsual = system.processes.find("qemu-system-x86_64") !== undefined;
  const environment = {
    ...(hasUsual || QLAUNCH_QEMU === undefined ? others : { ...others, QLAUNCH_QEMU }),
    QLAUNCH_RUN_DIR: join(folder, "run"),
  };
  return { ...system, user: { ...system.user, environment } };
}

type Ending = TalkEnding & { readonly wasReady: boolean; readonly console: readonly string[] };

async function runOnce(system: System, run: SimulatedRun): Promise<Ending> {
  const { emit, signal, version, jobMs, job, onOutput } = run;
  const own = privateSystem(system, run.folder);
  const profileFile = join(run.folder, "simulated-host.json");
  own.files.writeAtomically(profileFile, `${JSON.stringify(run.profile, undefined, 2)}\n`);
  const began = own.clock.elapsedMs();
  const elapsedMs = () => own.clock.elapsedMs() - began;
  emit({ type: "step-started", step: bootStep });
  let isReady = false;
  const timer = setInterval(() => {
    if (isReady) return;
    emit({
      type: "waiting",
      step: bootStep,
      elapsedMs: elapsedMs(),
      reason: "without KVM, every instruction emulated",
    });
  }, 1000);
  try {
    await startProfile(own, { profileFile, paused: false, emit: () => {}, signal, version });
    const plan = readPlan(own, findVm(own, name));
    const places = plan.devices.map(({ id, bus, slot, function: fn, busNr }) => ({
      ...{ id, bus, slot, function: fn },
      ...(busNr === undefined ? {} : { busNr }),
    }));
    const ending = await talkToHost(own, socketsOf(plan), {
      ...{ job: job(places), bootMs, jobMs, signal, onOutput },
      onReady: () => {
        isReady = true;
        emit({ type: "step-ended", step: bootStep, elapsedMs: elapsedMs(), summary: "ready for its job" });
      },
    });
    return { ...ending, wasReady: isReady, console: consoleEnd(own) };
  } finally {
    clearInterval(timer);
    if (!isReady) emit({ type: "step-failed", step: bootStep, elapsedMs: elapsedMs() });
    await endSimulatedHost(system, run.folder);
  }
}

function socketsOf({ run: { consoles } }: Plan): HostSockets {
  const socketOf = (port: string) => consoles.find((end) => end.name === port)?.socket ?? "";
  const console = consoles.find((end) => end.type === "serial")?.socket ?? "";
  return { job: socketOf(jobPort), output: socketOf(outputPort), console };
}

function consoleEnd(own: System): string[] {
  return readVmLog(own, name, { source: "console" }).trimEnd().split("\n").slice(-lastLines);
}

/** Ends the simulated host of a folder, if it runs. Nothing in it is to be saved but what it said. */
export async function endSimulatedHost(system: System, folder: string): Promise<void> {
  const own = privateSystem(system, folder);
  const directory = join(folder, "run", name);
  if (own.files.facts(directory) === undefined) return;
  try {
    own.files.copy(join(directory, "qemu/serial0.log"), join(folder, "console.log"), 0o600);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
  await stopVm(own, name, { force: true });
}

const endings = {
  "not-ready": `did not get ready within ${bootMs / 1000} s`,
  silent: "said nothing of its job's end in time",
  panicked: "had a kernel that gave up",
  closed: "ended before its job did",
  aborted: "was ended by a signal",
};

function explainEnding({ kind, console }: Exclude<Ending, { kind: "ended" }>) {
  const said = kind === "aborted" ? "" : console.join("\n");
  return refusal("REHEARSE_HOST", {
    found: `the simulated host ${endings[kind]}`,
    needed: "a simulated host that does its job",
    fix: kind === "silent" ? "give it more time with --timeout" : "run it again; with --keep its files stay",
    ...(said === "" ? {} : { detail: `the last lines of its console:\n${said}` }),
  });
}
