import { refusal } from "../errors/index.ts";
import { type System, SystemError } from "../system/index.ts";

/**
 * Writes a file that a user named, whole or not at all. What is there is written over only if the user says so.
 * @throws QlaunchError FILE_EXISTS, HOST_FILE_MISSING
 */
export function writeForUser(system: System, file: string, text: string, force: boolean): void {
  if (!force && system.files.facts(file)) {
    throw refusal("FILE_EXISTS", {
      found: `${file} is there already`,
      needed: "the name of a new file",
      fix: "name another one, or write over it with --force",
    });
  }
  try {
    system.files.writeAtomically(file, text, 0o644);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw refusal("HOST_FILE_MISSING", {
      found: `${file} cannot be written`,
      needed: "a folder that is there and may be written to",
      fix: "name another file",
      detail: error.message,
    });
  }
}
