import { QlaunchError, refusal } from "../errors/index.ts";
import {
  discoverHost,
  type Host,
  type HostNode,
  readFirmware,
  readGatheredHost,
  readNodes,
  readOnlineCpus,
  readSnapshot,
  writeSnapshot,
} from "../host/index.ts";
import { type System, SystemError } from "../system/index.ts";

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

/**
 * A machine that was gathered into a folder, with what QEMU can do here.
 * @throws QlaunchError HOST_SNAPSHOT when the folder has too little
 */
export async function takeGatheredSnapshot(
  system: System,
  choice: Pick<HostChoice, "qemu"> & { readonly folder: string },
): Promise<Host> {
  const gathered = readGathered(system, choice.folder);
  const { qemu } = await discoverHost(system, { qemu: choice.qemu, need: { qemu: "if-present" } });
  return { ...gathered, ...(qemu === undefined ? {} : { qemu }), firmware: readFirmware(system.files) };
}

function readGathered(system: System, folder: string): Omit<Host, "qemu" | "firmware"> {
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
  let text: string;
  try {
    text = system.files.readText(file);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw refusal(
      "HOST_SNAPSHOT",
      {
        found: `${file} cannot be read (${error.code})`,
        needed: "a snapshot made by `qlaunch host snapshot`",
        fix: "check the path",
      },
      { cause: error },
    );
  }
  const result = readSnapshot(text);
  if (!result.ok) throw new QlaunchError(result.diagnostics);
  return result.value;
}

/** The nodes alone, which the affinity map is drawn by. */
export function readHostNodes(system: System): readonly HostNode[] {
  return readNodes(system.files, readOnlineCpus(system.files));
}

/** A host as the text of a snapshot. */
export function snapshotText(host: Host): string {
  return writeSnapshot(host);
}
