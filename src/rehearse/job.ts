import type { PlannedPlace } from "../verify/index.ts";
import type { RehearsedGuest } from "./inner.ts";

/** What the program inside the simulated host is to do. */
export interface Assignment extends Pick<RehearsedGuest, "profile" | "devices"> {
  /** Every device of the simulated host's plan: the stand-ins among them are found by these. */
  readonly places: readonly PlannedPlace[];
  /** How long the guest gets to boot and answer. */
  readonly answerMs: number;
}

/** The words by which this program is called to carry out an assignment; the file that holds it follows. */
export type OwnProgram = readonly string[];

const assignmentFile = "/run/lab/assignment.json";
/** Settings that mean the same inside: its file system is this machine's. */
const kept = ["HOME", "LANG", "QLAUNCH_QEMU", "XDG_CACHE_HOME"];

/**
 * The job as a shell program: fixed words, quoted values, and a document that the shell does not look into. JSON on one
 * line cannot be the line that ends it.
 */
export function jobText(
  assignment: Assignment,
  program: OwnProgram,
  environment: Readonly<Record<string, string | undefined>>,
  timeoutSeconds: number,
): string {
  const exports = kept.flatMap((name) => {
    const value = environment[name];
    return value ? [`export ${name}=${quoted(value)}`] : [];
  });
  return [
    ...exports,
    `cat >${assignmentFile} <<'END'`,
    JSON.stringify(assignment),
    "END",
    `exec timeout --kill-after 10 ${Math.ceil(timeoutSeconds)} ${program.map(quoted).join(" ")} ${assignmentFile}`,
    "",
  ].join("\n");
}

/** In single quotes, always. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
