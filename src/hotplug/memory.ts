import type { System } from "../system/index.ts";
import type { PlanAddition } from "./device-plan.ts";
import { type LiveOptions, withLiveVm } from "./live.ts";
import type { PlannedMemory } from "./memory-add.ts";
import type { MemoryOutcome } from "./memory-outcome.ts";
import type { CheckMore } from "./memory-size.ts";

/**
 * Gives a running guest a memory device, its backend bound and read back before the guest sees it.
 * @throws QlaunchError LIVE_MEMORY_ROOM, LIVE_ID_IN_USE, LIVE_PORT, HOST_LOCKED_MEMORY, VM_MEMORY_POLICY, QMP_ERROR,
 *   VM_TIMEOUT, those of planning and those of opening the VM
 */
export async function addMemory(
  system: System,
  name: string,
  options: LiveOptions,
  planMemory: PlanAddition<PlannedMemory>,
): Promise<MemoryOutcome> {
  const load = () => import("./memory-add.ts");
  return withLiveVm(
    system,
    name,
    "qlaunch memory add",
    options,
    async (live) => (await load()).addMemoryTo(live, planMemory),
    load,
  );
}

/**
 * Asks the guest for a memory device, and takes its backend away when the guest has let go.
 * @throws QlaunchError LIVE_ID_UNKNOWN, LIVE_NOT_REMOVABLE, LIVE_GUEST_REFUSED, VM_STATE, VM_TIMEOUT and those of
 *   opening the VM
 */
export async function removeMemory(
  system: System,
  name: string,
  id: string,
  options: LiveOptions,
): Promise<MemoryOutcome> {
  const load = () => import("./memory-remove.ts");
  return withLiveVm(
    system,
    name,
    "qlaunch memory remove",
    options,
    async (live) => (await load()).removeMemoryFrom(live, id),
    load,
  );
}

/**
 * Requests another part of a virtio-mem device, and waits until the guest has just that.
 * @throws QlaunchError LIVE_ID_UNKNOWN, LIVE_MEMORY_ROOM, MEMORY_ALIGNMENT, VM_STATE, VM_TIMEOUT
 * @param check what speaks against taking more from the host
 */
export async function resizeMemory(
  system: System,
  name: string,
  id: string,
  sizeBytes: number,
  options: LiveOptions,
  check: CheckMore,
): Promise<MemoryOutcome> {
  const load = () => import("./memory-size.ts");
  return withLiveVm(
    system,
    name,
    "qlaunch memory resize",
    options,
    async (live) => (await load()).resizeMemoryOf(live, id, sizeBytes, check),
    load,
  );
}
