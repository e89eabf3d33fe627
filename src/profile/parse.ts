import type { Diagnostic } from "../errors/index.ts";
import { hasDuplicateKeys } from "./duplicates.ts";
import { readProfile } from "./reader.ts";
import type { Profile } from "./schema.ts";

/** What became of a profile's text. */
export interface ProfileReading {
  /**
   * The profile with its defaults. There is one beside diagnostics too when these are about spelling alone (unknown
   * or repeated keys, comments), so that the rules of the planner can be told in the same run; it must not be started.
   */
  readonly profile?: Profile;
  /** Every problem of the text, in its order, each with its place. Empty: the profile is good. */
  readonly diagnostics: readonly Diagnostic[];
  /**
   * Fills the places of diagnostics that have only a path, and puts them in the order of the file. A path to a key
   * that is not there is placed at the nearest object that is.
   */
  locate(diagnostics: readonly Diagnostic[]): Promise<Diagnostic[]>;
}

/**
 * Reads a profile.
 * @param file the name to show in places
 */
export async function parseProfile(text: string, file: string): Promise<ProfileReading> {
  const profile = readProfile(parseJson(text));
  if (profile && !hasDuplicateKeys(text)) {
    return {
      profile,
      diagnostics: [],
      // The parser that knows places is large.
      locate: async (diagnostics) =>
        diagnostics.length === 0 ? [] : (await import("./locate.ts")).locate(text, file, diagnostics),
    };
  }
  const { diagnose } = await import("./diagnose.ts");
  return diagnose(text, file);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
