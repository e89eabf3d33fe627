import {
  discoverHost,
  type Host,
  type HostNode,
  type Ledger,
  readFirmware,
  readNodes,
  readOnlineCpus,
} from "../host/index.ts";
import type { System } from "../system/index.ts";
import { readLedger } from "../vm/index.ts";

export interface HostChoice {
  /** A snapshot to plan against, instead of this machine. */
  readonly snapshot?: string | undefined;
  /** The QEMU program. */
  readonly qemu?: string | undefined;
}

export interface HostQuestion extends HostChoice {
  readonly kvm: boolean;
  readonly firmware: boolean;
  readonly pci: boolean;
  readonly requireQemu: boolean;
  /** False: nothing is started and nothing written; what is not known from before is assumed. */
  readonly mayStart: boolean;
}

/** The host to plan for: this machine, or a snapshot of another. @throws QlaunchError */
export async function findHost(system: System, question: HostQuestion): Promise<Host> {
  if (question.snapshot !== undefined) {
    return (await import("./host-elsewhere.ts")).loadSnapshot(system, question.snapshot);
  }
  const host = await discoverHost(system, {
    qemu: question.qemu,
    need: {
      kvm: question.kvm,
      pci: question.pci,
      qemu: question.requireQemu ? "required" : "if-present",
    },
    mayStart: question.mayStart,
  });
  return question.firmware ? { ...host, firmware: readFirmware(system.files) } : host;
}

/** Everything about this machine or of a snapshot, for people and for planning elsewhere. @throws QlaunchError */
export async function takeSnapshot(system: System, choice: HostChoice): Promise<Host> {
  return findHost(system, {
    ...choice,
    kvm: true,
    firmware: true,
    pci: true,
    requireQemu: false,
    mayStart: true,
  });
}

/** The same, and what running guests of this machine hold. @throws QlaunchError */
export async function lookAtHost(
  system: System,
  choice: HostChoice,
): Promise<{ host: Host; holdings: Ledger }> {
  const holdings = choice.snapshot === undefined ? readLedger(system) : [];
  return { host: await takeSnapshot(system, choice), holdings };
}

/** The nodes alone, which the affinity map is drawn by. */
export function readHostNodes(system: System): readonly HostNode[] {
  return readNodes(system.files, readOnlineCpus(system.files));
}
