import { type Diagnostic, QlaunchError } from "../errors/index.ts";
import type { EventSink } from "../events/event.ts";
import { adviseP2p } from "../plan/p2p-advice.ts";
import { keepProfile } from "../profile/kept.ts";
import type { Exit, System } from "../system/index.ts";
import { type LaunchedVm, launchVm, preflight, runVm, TakenError } from "../vm/index.ts";
import { type Planned, type PlanRequest, planProfile } from "./plan.ts";
import { profileFolder } from "./profile.ts";

export interface StartRequest extends Omit<PlanRequest, "mayStart" | "snapshot"> {
  readonly paused: boolean;
  readonly emit: EventSink;
  /** Undoes the start when it aborts. */
  readonly signal: AbortSignal;
  readonly version: string;
}

export interface Checked {
  readonly planned: Planned;
  /** Why the start would fail or be slow; warnings of the plan among them. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * The plan, everything that would make its start fail or be slow, and what would make its devices slow. Starts and
 * changes nothing.
 * @throws QlaunchError when there is no plan
 */
export async function checkProfile(system: System, request: PlanRequest): Promise<Checked> {
  const { planned, diagnostics } = await checkStart(system, request);
  const advice = adviseP2p(planned.plan, planned.host);
  return { planned, diagnostics: [...diagnostics, ...(await planned.locate(advice))] };
}

async function checkStart(system: System, request: PlanRequest): Promise<Checked> {
  const planned = await planProfile(system, request);
  // Files and rights of this machine say nothing about the one of the snapshot.
  const found = request.snapshot === undefined ? await preflight(system, planned.plan, planned.host) : [];
  return { planned, diagnostics: [...planned.warnings, ...(await planned.locate(found))] };
}

/** Plans, checks and starts a VM in the background. @throws QlaunchError; then nothing is left behind */
export async function startProfile(system: System, request: StartRequest): Promise<LaunchedVm> {
  return whenFree(request, async () => launchVm(system, await prepare(system, request)));
}

/** Plans, checks and starts a VM, and stays until it ends. `stop` powers it down, `stopNow` ends QEMU. */
export async function runProfile(
  system: System,
  request: StartRequest & { stop: AbortSignal; stopNow: AbortSignal },
): Promise<Exit> {
  const { stop, stopNow } = request;
  return whenFree(request, async () => runVm(system, { ...(await prepare(system, request)), stop, stopNow }));
}

/** Starts at once see each other when they note what they take, after they have planned. */
const mostPlans = 10;

/** Plans anew when another start was faster: then the plan knows of it. */
async function whenFree<Result>({ emit }: StartRequest, start: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (!(error instanceof TakenError) || attempt === mostPlans) throw error;
      const found = error.diagnostics.map((diagnostic) => diagnostic.found).join(", ");
      emit({ type: "notice", level: "info", message: `planned once more: ${found}, since this was planned` });
    }
  }
}

async function prepare(system: System, request: StartRequest) {
  const { planned, diagnostics } = await checkStart(system, { ...request, mayStart: true });
  if (diagnostics.some((diagnostic) => diagnostic.severity === "error")) throw new QlaunchError(diagnostics);
  for (const { found, fix } of diagnostics)
    request.emit({ type: "notice", level: "warning", message: `${found}; ${fix}` });
  return {
    plan: planned.plan,
    profileText: planned.profileText,
    keptProfile: keepProfile(planned.profile, profileFolder(system, request.profileFile)),
    host: planned.host,
    paused: request.paused,
    emit: request.emit,
    signal: request.signal,
    version: request.version,
  };
}
