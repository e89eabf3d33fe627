import { join, resolve } from "node:path";
import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import type { Event, EventSink } from "../events/event.ts";
import type { Plan } from "../plan/index.ts";
import {
  comparePlans,
  findImages,
  fitGuest,
  jobText,
  lineReader,
  type OwnProgram,
  scaleHost,
  simulateHost,
} from "../rehearse/index.ts";
import type { System } from "../system/index.ts";
import { describeDifferences, type Verification } from "../verify/index.ts";
import type { HostChoice } from "./host.ts";
import { planProfile } from "./plan.ts";
import { openRehearsalFolder } from "./rehearsal-folder.ts";
import type { InsideReport } from "./rehearse-inside.ts";
import { runOnSimulatedHost } from "./simulated-host.ts";

export interface RehearsalRequest extends HostChoice {
  readonly profileFile: string;
  /** A folder with boot/ and lib/modules/. Default: what was made before, else this system's kernel. */
  readonly kernelFolder?: string | undefined;
  /** How long everything on the simulated host may take. */
  readonly timeoutMs: number;
  /** Leave profiles and logs behind. */
  readonly keep: boolean;
  readonly emit: EventSink;
  readonly signal: AbortSignal;
  readonly version: string;
  /** This program, to be run on the simulated host as well. */
  readonly program: OwnProgram;
}

/** What came of a rehearsal. */
export interface Rehearsal extends Verification {
  /** What was made smaller, exchanged or left out. */
  readonly notes: readonly string[];
  /** Where profiles and logs are; absent when nothing was kept. */
  readonly folder?: string;
}

/** The guest boots for the greater part of it. */
const answerShare = 0.7;
/** Until the simulated host has told how its job ended. */
const reserveMs = 60_000;

/**
 * Runs a profile on a simulated host: made from the real one's nodes and PCIe tree, with stand-ins for the devices that
 * are passed through, real VFIO and real KVM. What the guest sees is compared with the plan.
 * @throws QlaunchError
 */
export async function rehearseProfile(system: System, request: RehearsalRequest): Promise<Rehearsal> {
  const { emit, signal, version, timeoutMs } = request;
  const { plan, profile, host } = await planProfile(system, { ...request, mayStart: false });
  const tell = (message: string) => emit({ type: "notice", level: "info", message });
  const images = await findImages(system, request.kernelFolder, () =>
    tell("kernel and root file systems are made; the next time they are there"),
  );
  const scale = scaleHost(host, plan);
  const simulated = simulateHost(host, plan, scale, { kernel: images.kernel, initrd: images.hostInitrd });
  const guest = fitGuest(profile, plan, scale, { kernel: images.kernel, initrd: images.guestInitrd });
  const notes = [...simulated.notes, ...guest.notes];
  for (const message of notes) tell(message);

  const folder = await openRehearsalFolder(system, request.keep);
  if (request.keep) tell(`profiles and logs are kept in ${folder.path}`);
  try {
    system.files.writeAtomically(join(folder.path, "guest.json"), `${JSON.stringify(guest, undefined, 2)}\n`);
    const answers = new Answers(emit);
    const status = await runOnSimulatedHost(system, {
      ...{ folder: folder.path, emit, signal, version },
      profile: simulated.profile,
      jobMs: timeoutMs + reserveMs,
      job: (places) =>
        jobText(
          { profile: guest.profile, devices: guest.devices, places, answerMs: timeoutMs * answerShare },
          request.program,
          environmentInside(system, request.qemu),
          timeoutMs / 1000,
        ),
      onOutput: lineReader((line) => answers.take(line)),
    });
    const rows = compareAll(
      plan,
      answers.result(status),
      guest.devices.map(({ standIn }) => standIn),
    );
    return { ...rows, notes, ...(request.keep ? { folder: folder.path } : {}) };
  } finally {
    folder.close();
  }
}

/** The guest's QEMU is the one that was asked for, whatever folder the command was given in. */
function environmentInside({ user }: System, qemu: string | undefined): System["user"]["environment"] {
  if (qemu === undefined) return user.environment;
  const program = qemu.includes("/") ? resolve(user.workingDirectory, qemu) : qemu;
  return { ...user.environment, QLAUNCH_QEMU: program };
}

/** What the program on the simulated host prints: events, a report at the end, and what others say meanwhile. */
class Answers {
  readonly #emit: EventSink;
  readonly #words: string[] = [];
  #report: InsideReport | undefined;

  constructor(emit: EventSink) {
    this.#emit = emit;
  }

  take(line: string): void {
    const value = parse(line);
    if (value === undefined) this.#words.push(line);
    else if (value.type === "result" || value.type === "problems") this.#report = value;
    else this.#emit(value);
  }

  /** @throws QlaunchError what went wrong there, with the words of those who know */
  result(status: number): Extract<InsideReport, { type: "result" }> {
    const report = this.#report;
    if (report?.type === "result") return report;
    const words = this.#words.slice(-lastWords).join("\n");
    if (report?.type === "problems")
      throw new QlaunchError(withLog(report.diagnostics, [...report.log, words]));
    throw refusal("REHEARSE_HOST", {
      found:
        status === timeoutStatus
          ? "the rehearsal was not over in time"
          : `qlaunch ended with ${status} there`,
      needed: "a rehearsal that comes to its end",
      fix:
        status === timeoutStatus
          ? "give it more time with --timeout"
          : "run it again with --keep and look at its files",
      detail: words,
    });
  }
}

const lastWords = 60;
/** Of timeout(1). */
const timeoutStatus = 124;

function parse(line: string): Event | InsideReport | undefined {
  if (!line.startsWith('{"type":')) return undefined;
  try {
    return JSON.parse(line) as Event | InsideReport;
  } catch {
    return undefined;
  }
}

/** The log goes with the first problem. */
function withLog(diagnostics: readonly Diagnostic[], log: readonly string[]): Diagnostic[] {
  const text = log.filter((line) => line !== "").join("\n");
  return diagnostics.map((diagnostic, index) =>
    index > 0 || text === ""
      ? diagnostic
      : {
          ...diagnostic,
          detail: [diagnostic.detail, "on the simulated host:", text].filter(Boolean).join("\n"),
        },
  );
}

function compareAll(
  plan: Plan,
  { verification, devices, drivers }: Extract<InsideReport, { type: "result" }>,
  ids: readonly string[],
): Verification {
  const rows = [...verification.rows, ...comparePlans(plan.devices, devices, ids), ...drivers];
  return {
    ...verification,
    rows,
    same: rows.every(({ same }) => same),
    diagnostics: describeDifferences(
      rows,
      "compare with `qlaunch plan --format explain`; with --keep the profiles stay",
    ),
  };
}
