import { refusal } from "../errors/index.ts";
import { type System, SystemError } from "../system/index.ts";

/** Writes a file that a user named, whole or not at all. @throws QlaunchError HOST_FILE_MISSING */
export function writeForUser(system: System, file: string, text: string): void {
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
