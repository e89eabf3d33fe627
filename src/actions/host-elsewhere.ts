import { type Diagnostic, QlaunchError, refusal } from "../errors/index.ts";
import { readGatheredHost, readLstopoHost, readSnapshot, writeSnapshot } from "../host/elsewhere.ts";
import { discoverHost, type Host, readFirmware } from "../host/index.ts";
import { type System, SystemError } from "../system/index.ts";
import type { HostChoice } from "./host.ts";

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

/** The host of a snapshot. @throws QlaunchError HOST_SNAPSHOT */
export function loadSnapshot(system: System, file: string): Host {
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

/** A host as the text of a snapshot. */
export function snapshotText(host: Host): string {
  return writeSnapshot(host);
}
