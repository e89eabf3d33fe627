import type { Plan } from "../plan/types.ts";
import type { QmpClient } from "../qmp/index.ts";
import type { System } from "../system/index.ts";
import type { VmRecord } from "./record.ts";

/** A running VM and a monitor to talk to it. */
export interface OpenVm {
  readonly record: VmRecord;
  readonly plan: Plan;
  readonly qmp: QmpClient;
  close(): Promise<void>;
}

/** @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY */
export async function openVm(_system: System, _name: string): Promise<OpenVm> {
  throw new Error("not yet");
}
