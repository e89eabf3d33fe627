import type { Diagnostic } from "../../errors/index.ts";
import { type ImportHost, importDomain, unsaidOf } from "../../import/libvirt/index.ts";
import type { Plan } from "../../plan/types.ts";
import type { Profile } from "../../profile/index.ts";
import { profileSchema } from "../../profile/schema.ts";
import { PlannedTree } from "./controllers.ts";
import { type Difference, differences } from "./difference.ts";
import { writeDomain } from "./domain.ts";
import { bootingFromOne, writeMetadata } from "./metadata.ts";
import { tellOtherwise } from "./otherwise.ts";
import { settle } from "./settled.ts";
import { tellKept, tellLost, tellNewer, tellUnsaid } from "./warnings.ts";
import { xmlLines } from "./xml.ts";

export interface ExportedDomain {
  readonly lines: readonly string[];
  /** What a guest that libvirt starts would not have, and what import of the domain would not give back. */
  readonly warnings: readonly Diagnostic[];
}

/**
 * A plan as a domain of libvirt's, to compare with and to go back to. It is read again at once: what libvirt has no
 * element for goes into the metadata, and what does not come back even so is told.
 *
 * @param host what import fills what a domain leaves open from
 */
export function exportDomain(profile: Profile, plan: Plan, host: ImportHost): ExportedDomain {
  const tree = new PlannedTree(plan);
  const settled = settle(profile, plan);
  const write = (parts: readonly Difference[]) =>
    xmlLines(writeDomain(bootingFromOne(settled), plan, tree, writeMetadata(settled, parts)));
  const lacking = (lines: readonly string[]) => differences(settled, readAgain(lines, host));
  const parts = lacking(write([])).filter(({ steps, value }) => unsaidOf(steps, value) !== undefined);
  const lines = write(parts);
  return {
    lines,
    warnings: [
      ...parts.flatMap((part) => tellUnsaid(part, settled)),
      ...lacking(lines).map((lost) => tellLost(lost, settled)),
      ...tellKept(plan.placement),
      ...tellOtherwise(settled, plan),
      ...tellNewer(settled),
    ],
  };
}

function readAgain(lines: readonly string[], host: ImportHost): Profile {
  const imported = importDomain(lines.join("\n"), { host });
  // What a plan names is in a profile, so that a document without one is a bug.
  if (!imported.ok) throw new Error(imported.diagnostics.map(({ found }) => found).join("; "));
  return profileSchema.parse(imported.profile);
}
