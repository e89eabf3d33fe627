import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import {
  discoverHost,
  type Host,
  type HostNode,
  type Ledger,
  readFirmware,
  readGatheredHost,
  readLstopoHost,
  readNodes,
  readOnlineCpus,
  readSnapshot,
  writeSnapshot,
} from "../host/index.ts";
import { type System, SystemError } from "../system/index.ts";
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
  if (question.snapshot !== undefined) return loadSnapshot(system, question.snapshot);
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

/** A machine that this is not: its /proc and /sys in a folder, or what lstopo wrote about it in a file. */
export type Elsewhere = { readonly folder: string } | { readonly lstopo: string };

/**
 * A snapshot of another machine, with what QEMU can do here.
 * @returns the host, and what had to be assumed about it as warnings
 * @throws QlaunchError HOST_SNAPSHOT when the folder or file has too little
 */
export async function takeSnapshotElsewhere(
  system: System,
  source: Elsewhere,
  choice: Pick<HostChoice, "qemu">,
): Promise<{ host: Host; warnings: readonly Diagnostic[] }> {
  const { host, warnings } =
    "folder" in source
      ? { host: readGathered(system, source.folder), warnings: [] }
      : readLstopo(system, source.lstopo);
  const { qemu } = await discoverHost(system, { qemu: choice.qemu, need: { qemu: "if-present" } });
  const own = { ...(qemu === undefined ? {} : { qemu }), firmware: readFirmware(system.files) };
  return { host: { ...host, ...own }, warnings };
}

function readLstopo(system: System, file: string): { host: Host; warnings: readonly Diagnostic[] } {
  const text = readSnapshotFile(system, file, "what `lstopo --of xml --whole-io` wrote");
  const result = readLstopoHost(text);
  if (!result.ok) throw new QlaunchError(result.diagnostics);
  return { host: result.value, warnings: result.warnings };
}

function readGathered(system: System, folder: string): Host {
  try {
    return readGatheredHost(system.files, folder);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw refusal(
      "HOST_SNAPSHOT",
      {
        found: `${folder} is no gathered machine`,
        needed: "a folder with /proc/cpuinfo, /sys/devices/system and /sys/bus/pci of a machine",
        fix: "gather it on that machine: hwloc-gather-topology --io NAME; then unpack NAME.tar.bz2",
        detail: error.message,
      },
      { cause: error },
    );
  }
}

function loadSnapshot(system: System, file: string): Host {
  const result = readSnapshot(readSnapshotFile(system, file, "a snapshot made by `qlaunch host snapshot`"));
  if (!result.ok) throw new QlaunchError(result.diagnostics);
  return result.value;
}

function readSnapshotFile(system: System, file: string, needed: string): string {
  try {
    return system.files.readText(file);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw refusal(
      "HOST_SNAPSHOT",
      {
        found: `${file} cannot be read (${error.code})`,
        needed,
        fix: "check the path",
      },
      { cause: error },
    );
  }
}

/** The nodes alone, which the affinity map is drawn by. */
export function readHostNodes(system: System): readonly HostNode[] {
  return readNodes(system.files, readOnlineCpus(system.files));
}

/** A host as the text of a snapshot. */
export function snapshotText(host: Host): string {
  return writeSnapshot(host);
}
