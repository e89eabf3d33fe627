import type { Plan } from "../plan/types.ts";
import type { System } from "../system/index.ts";
import type { Account } from "./accounts.ts";
import type { Journal } from "./journal.ts";
import { keptProfileFile, planFile, profileFile } from "./record.ts";
import type { Places } from "./run-root.ts";
import type { LaunchRequest } from "./types.ts";

/** The profile as it was read, and the plan as it is carried out. */
export function writeDocuments(
  { files }: System,
  { directory }: Places,
  plan: Plan,
  { profileText, keptProfile }: Pick<LaunchRequest, "profileText" | "keptProfile">,
): void {
  files.writeAtomically(profileFile(directory), profileText);
  files.writeAtomically(keptProfileFile(directory), keptProfile);
  files.writeAtomically(planFile(directory), `${JSON.stringify(plan)}\n`);
}

/** A file that the VM owns. One that is there already holds the guest's state, and stays. */
export function copyOwnFile(
  system: System,
  journal: Journal,
  account: Account | undefined,
  { source, target }: { readonly source: string; readonly target: string },
): "copied" | "kept" {
  const { files } = system;
  if (files.facts(target) !== undefined) return "kept";
  journal.register(`copy ${source}`, { do: "remove", path: target });
  files.copy(source, target, 0o600);
  if (account !== undefined) files.changeOwner(target, account.uid, account.gid);
  return "copied";
}
