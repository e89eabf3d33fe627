import type { Diagnostic } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { findVm, readPlan } from "../vm/index.ts";
import { type AskOptions, askProbe } from "./ask.ts";
import { compare } from "./compare.ts";
import type { Row } from "./row.ts";

/** What came of a comparison. */
export interface Verification {
  readonly name: string;
  readonly same: boolean;
  /** The guest's kernel, and how long it runs. */
  readonly kernel: string;
  readonly uptimeSeconds: number;
  readonly rows: readonly Row[];
  /** VERIFY_DIFFERENT, unless all is the same. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Asks a running guest what it sees, and compares that with the plan that it was started from.
 * @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY, VERIFY_NO_PROBE
 */
export async function verifyVm(system: System, name: string, options: AskOptions): Promise<Verification> {
  const found = findVm(system, name);
  const plan = readPlan(system, found);
  const report = await askProbe(system, found, plan, options);
  const rows = compare(plan, report);
  const different = rows.filter(({ same }) => !same);
  return {
    name,
    same: different.length === 0,
    kernel: report.kernel,
    uptimeSeconds: report.uptimeSeconds,
    rows,
    diagnostics: different.length === 0 ? [] : [describeDifference(name, different, rows.length)],
  };
}

const namedAtMost = 5;

function describeDifference(name: string, different: readonly Row[], count: number): Diagnostic {
  const named = different.slice(0, namedAtMost).map(({ kind, what, fact }) => `${fact} of ${kind} ${what}`);
  const more = different.length - named.length;
  return {
    code: "VERIFY_DIFFERENT",
    severity: "error",
    path: [],
    found: `${different.length} of ${count} facts are not as planned: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
    needed: "a guest that sees what was planned",
    fix: `see whether it was changed since its start: qlaunch info ${name} --drift; else look at its kernel's messages`,
  };
}
