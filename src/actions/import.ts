import { QlaunchError } from "../errors/index.ts";
import {
  type ImportHost,
  importDomain,
  type ProfileDraft,
  type ReportLine,
} from "../import/libvirt/index.ts";
import { parseProfile } from "../profile/index.ts";
import { type System, SystemError } from "../system/index.ts";
import { findHost } from "./host.ts";
import { writeForUser } from "./write-file.ts";

export interface ImportRequest {
  /** The domain's XML; "-" for standard input. */
  readonly file: string;
  /** Snapshot of the host that it shall run on. Default: this machine. */
  readonly snapshot: string | undefined;
  readonly replan: boolean;
  readonly strict: boolean;
  /** Where the profile goes; undefined: it is only answered. */
  readonly output: string | undefined;
  /** Write over what is there. */
  readonly force: boolean;
  /** The domain runs: what libvirt adds at its start is left out. */
  readonly live: boolean;
}

export interface ImportAnswer {
  readonly profile: ProfileDraft;
  readonly profileText: string;
  readonly report: readonly ReportLine[];
}

/**
 * Makes a profile of a libvirt domain. Nothing of libvirt is asked.
 * @throws QlaunchError IMPORT_XML, IMPORT_GUEST, IMPORT_LOSS, FILE_EXISTS, PROFILE_UNREADABLE, HOST_FILE_MISSING, and those of profiles
 */
export async function importFile(system: System, request: ImportRequest): Promise<ImportAnswer> {
  const text = readDomain(system, request.file);
  const host: ImportHost = await findHost(system, {
    snapshot: request.snapshot,
    ...{ kvm: false, firmware: false, pci: false, requireQemu: false, mayStart: false },
  });
  const result = importDomain(text, { host, replan: request.replan, live: request.live });
  if (!result.ok) throw new QlaunchError(result.diagnostics);
  const { profile, report } = result;
  const lost = report.filter(({ verdict }) => verdict === "dropped");
  if (request.strict && lost.length > 0) {
    throw new QlaunchError(
      lost.map(({ path, line, column, note }) => ({
        code: "IMPORT_LOSS",
        severity: "error",
        path: [],
        found: `${path} (line ${line}, column ${column}), which the profile would not have`,
        needed: "a domain of which all can be taken over",
        fix: note,
      })),
    );
  }
  const profileText = `${JSON.stringify(profile, undefined, 2)}\n`;
  // A domain may say what no machine has; then there is no profile.
  const reading = await parseProfile(profileText, request.output ?? "the profile");
  if (!reading.profile) throw new QlaunchError(reading.diagnostics);
  if (request.output !== undefined) writeForUser(system, request.output, profileText, request.force);
  return { profile, profileText, report };
}

function readDomain({ files }: System, file: string): string {
  try {
    return files.readText(file === "-" ? "/dev/stdin" : file);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new QlaunchError([
      {
        code: "PROFILE_UNREADABLE",
        severity: "error",
        path: [],
        found: `${file}: ${error.message}`,
        needed: "a file with the XML of a domain",
        fix: "give what `virsh dumpxml NAME` prints",
      },
    ]);
  }
}
