import { type Profile, profileSchema } from "./schema.ts";

/**
 * What the schema makes of a value that it accepts; undefined for any other. The build puts the schema written out as
 * code in the place of this file (scripts/profile-reader.mjs), as building a schema takes longer than most commands.
 */
export function readProfile(value: unknown): Profile | undefined {
  const { success, data } = profileSchema.safeParse(value);
  return success ? data : undefined;
}
