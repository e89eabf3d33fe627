import type { System } from "../system/index.ts";

/** Where a VM's files are. */
export interface Places {
  /** Ours alone. */
  readonly directory: string;
  /** The folder that QEMU itself may write to. */
  readonly qemuDirectory: string;
  readonly pidFile: string;
  readonly logFile: string;
  readonly qmpSocket: string;
  readonly monitorSocket: string;
}

/** The folder that holds the run directories of this user's VMs. Makes nothing. @throws QlaunchError */
export function runRoot(_system: System): string {
  throw new Error("not yet");
}

export function placesFor(_root: string, _name: string): Places {
  throw new Error("not yet");
}
