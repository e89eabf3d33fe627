import type { StartedProcess, System } from "../system/index.ts";
import { foreignAccount } from "./accounts.ts";
import { bringUp } from "./bring-up.ts";
import { claimName } from "./claim.ts";
import { lockVm } from "./find.ts";
import { reserve } from "./reserve.ts";
import { checkSocketPaths, ensureRunRoot, type Places, placesFor, runRoot, runSockets } from "./run-root.ts";
import type { LaunchedVm, LaunchRequest } from "./types.ts";
import { unwind } from "./undo.ts";
import { withUuid } from "./uuid.ts";

/** A VM whose QEMU is still our child. */
export interface StartedVm {
  readonly vm: LaunchedVm;
  readonly started: StartedProcess;
  readonly places: Places;
}

/**
 * Starts a VM that outlives this program: nothing of qlaunch stays, and the VM needs nothing of it. A failure, or
 * the request's signal, undoes all that was done.
 * @throws QlaunchError
 */
export async function launchVm(system: System, request: LaunchRequest): Promise<LaunchedVm> {
  const { vm, started } = await startVm(system, request);
  started.release();
  return vm;
}

/** The same, for a caller that stays. @throws QlaunchError */
export async function startVm(system: System, request: LaunchRequest): Promise<StartedVm> {
  const { plan, emit, paused, version = "unknown" } = request;
  const began = system.clock.elapsedMs();
  const root = runRoot(system);
  const places = placesFor(root, plan.name);
  checkSocketPaths(runSockets(places, plan.run));
  ensureRunRoot(system, root);
  const lock = await lockVm(system, root, plan.name, "qlaunch up");
  try {
    const account = await foreignAccount(system, plan.run.user);
    const remains = await claimName(system, root, plan.name, places, emit);
    const named = withUuid(plan, plan.uuid ?? remains.uuid);
    const journal = await reserve(system, { root, places, plan: named, version, account });
    try {
      const started = await bringUp({ system, request, plan: named, places, account, journal });
      const elapsedMs = system.clock.elapsedMs() - began;
      const vm = { name: plan.name, uuid: named.uuid, pid: started.pid, paused, elapsedMs };
      return { vm, started, places };
    } catch (error) {
      await unwind(system, journal.record.undo, emit);
      throw error;
    }
  } finally {
    lock.release();
  }
}
