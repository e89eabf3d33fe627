import type { Profile } from "./schema.ts";

/** Which reader of profiles this program has, put in by the build; a checkout that runs unbundled does not know. */
declare const QLAUNCH_PROFILE_READER: string | undefined;

const ownReader = typeof QLAUNCH_PROFILE_READER === "string" ? QLAUNCH_PROFILE_READER : undefined;

/** A profile with its defaults as text, so that a later command of a program with the same reader need not read it again. */
export function keepProfile(profile: Profile, reader: string | undefined = ownReader): string {
  return `${JSON.stringify({ reader: reader ?? null, profile })}\n`;
}

/**
 * @param text what `keepProfile` wrote
 * @returns undefined when another reader made it, whose defaults may be others, or it is damaged
 */
export function takeKeptProfile(text: string, reader: string | undefined = ownReader): Profile | undefined {
  try {
    const kept = JSON.parse(text) as { readonly reader: string | null; readonly profile: Profile };
    return reader !== undefined && kept.reader === reader ? kept.profile : undefined;
  } catch {
    return undefined;
  }
}
