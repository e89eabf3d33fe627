import type { Profile } from "./schema.ts";

/** Which reader of profiles this program has, put in by the build; a checkout that runs unbundled does not know. */
declare const QLAUNCH_PROFILE_READER: string | undefined;

const ownReader = typeof QLAUNCH_PROFILE_READER === "string" ? QLAUNCH_PROFILE_READER : undefined;

/** What is kept of a profile beside its text. */
export interface KeptProfile {
  /** With its defaults; undefined when another reader read it, whose defaults may be others. */
  readonly profile?: Profile;
  /** Where its relative paths count from. */
  readonly folder?: string;
}

/**
 * A profile with its defaults as text, so that a later command of a program with the same reader need not read it again.
 * @param folder where its file is, absolute
 */
export function keepProfile(
  profile: Profile,
  folder: string,
  reader: string | undefined = ownReader,
): string {
  return `${JSON.stringify({ reader: reader ?? null, folder, profile })}\n`;
}

/**
 * @param text what `keepProfile` wrote
 * @returns nothing of it when it is damaged
 */
export function takeKeptProfile(text: string, reader: string | undefined = ownReader): KeptProfile {
  try {
    const kept = JSON.parse(text) as Required<KeptProfile> & { readonly reader: string | null };
    const { folder, profile } = kept;
    return reader !== undefined && kept.reader === reader ? { folder, profile } : { folder };
  } catch {
    return {};
  }
}
