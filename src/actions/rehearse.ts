import type { EventSink } from "../events/event.ts";
import type { Plan } from "../plan/index.ts";
import {
  Answers,
  comparePlans,
  findImages,
  fitGuest,
  type InsideReport,
  jobText,
  lineReader,
  type OwnProgram,
  scaleHost,
  simulateHost,
} from "../rehearse/index.ts";
import { join, resolve, type System } from "../system/index.ts";
import { describeDifferences, type Verification } from "../verify/index.ts";
import type { HostChoice } from "./host.ts";
import { planProfile } from "./plan.ts";
import { openRehearsalFolder } from "./rehearsal-folder.ts";
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
