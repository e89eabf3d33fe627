import { refusal } from "../errors/index.ts";
import { type Profile, type ProfileReading, parseProfile, resolvePaths } from "../profile/index.ts";
import { type System, SystemError } from "../system/index.ts";

export interface LoadedProfile {
  readonly file: string;
  readonly text: string;
  readonly reading: ProfileReading;
  /** With defaults and absolute paths; undefined when the text is too broken to have one. */
  readonly profile: Profile | undefined;
}

/**
 * Reads a profile and makes its paths absolute. Problems stay in the reading, to be told with the planner's.
 * @throws QlaunchError PROFILE_UNREADABLE
 */
export async function loadProfile(system: System, file: string): Promise<LoadedProfile> {
  const text = readProfileText(system, file);
  const reading = await parseProfile(text, file);
  const profile = reading.profile && resolvePaths(reading.profile, profileFolder(system, file));
  return { file, text, reading, profile };
}

function readProfileText(system: System, file: string): string {
  try {
    return system.files.readText(file);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw refusal(
      "PROFILE_UNREADABLE",
      {
        found: error.code === "ENOENT" ? `${file} does not exist` : `${file} cannot be read (${error.code})`,
        needed: "a readable JSON file",
        fix: "give the path of a profile; the ones shipped with qlaunch are examples",
      },
      { cause: error },
    );
  }
}

/** Where a profile's relative paths count from. */
export function profileFolder(system: System, file: string): string {
  const absolute = file.startsWith("/") ? file : `${system.user.workingDirectory}/${file}`;
  return absolute.slice(0, absolute.lastIndexOf("/")) || "/";
}
