import type { Diagnostic } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { findVm, readPlan, readVmPciTree } from "../vm/index.ts";
import { type AskOptions, askProbe } from "./ask.ts";
import { compare } from "./compare.ts";
import { withPciTree } from "./pci-tree-rows.ts";
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
 * Asks a running guest what it sees, and QEMU for what the guest cannot tell, and compares that with the plan that it
 * was started from.
 * @throws QlaunchError VM_UNKNOWN, VM_STALE, VM_STATE, VM_BUSY, VERIFY_NO_PROBE, QMP_DISCONNECTED
 */
export async function verifyVm(system: System, name: string, options: AskOptions): Promise<Verification> {
  const found = findVm(system, name);
  const plan = readPlan(system, found);
  const report = await askProbe(system, found, plan, options);
  const rows = withPciTree(compare(plan, report), await readVmPciTree(system, found, plan));
  return {
    name,
    same: rows.every(({ same }) => same),
    kernel: report.kernel,
    uptimeSeconds: report.uptimeSeconds,
    rows,
    diagnostics: describeDifferences(
      rows,
      `see whether it was changed since its start: qlaunch info ${name} --drift; else look at its kernel's messages`,
    ),
  };
}

const namedAtMost = 5;

/** VERIFY_DIFFERENT with the first that differ; nothing when all is the same. */
export function describeDifferences(rows: readonly Row[], fix: string): Diagnostic[] {
  const different = rows.filter(({ same }) => !same);
  if (different.length === 0) return [];
  const named = different.slice(0, namedAtMost).map(({ kind, what, fact }) => `${fact} of ${kind} ${what}`);
  const more = different.length - named.length;
  return [
    {
      code: "VERIFY_DIFFERENT",
      severity: "error",
      path: [],
      found: `${different.length} of ${rows.length} facts are not as planned: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
      needed: "a guest that sees what was planned",
      fix,
    },
  ];
}
