import { type QlaunchError, refusal } from "../errors/index.ts";
import { identifierPattern, identifierWords } from "../profile/identifier.ts";

/** An id from the command line, by the rule of profiles. @throws QlaunchError USAGE */
export function checkId(id: string): void {
  if (identifierPattern.test(id)) return;
  throw usage(`"${id}" is no id`, identifierWords.needed, identifierWords.fix);
}

export function usage(found: string, needed: string, fix: string): QlaunchError {
  return refusal("USAGE", { found, needed, fix });
}
