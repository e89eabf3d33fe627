import type * as z from "zod";
import { formatJsonPath, type JsonPath } from "../errors/index.ts";
import { closest, editDistance } from "../units/index.ts";
import { alternatives } from "./describe.ts";
import { type Problem, problem } from "./problem.ts";
import { keysOf, placesOfKey } from "./shape.ts";

/** A list of keys up to this long is told in full. */
const listedKeys = 16;
const listedPlaces = 3;

/** A key that the format does not have at its place, with the one that was probably meant or where it belongs. */
export function unknownKey(root: z.core.$ZodType, schema: z.core.$ZodType, path: JsonPath): Problem {
  const key = String(path.at(-1));
  const known = keysOf(schema);
  const parent = path.length === 1 ? "the profile" : formatJsonPath(path.slice(0, -1));
  const places = placesOfKey(root, key).slice(0, listedPlaces);
  const near = closest(key, known);
  // A key that exists elsewhere was misplaced rather than misspelt, unless it is one letter away or the start of one.
  const isMisspelt =
    near !== undefined && (places.length === 0 || near.startsWith(key) || editDistance(key, near) <= 1);
  const meant = isMisspelt ? near : undefined;
  const { on, diagnostic } = problem("key", {
    code: "PROFILE_UNKNOWN_KEY",
    path,
    found: `${JSON.stringify(key)} is not a key of ${parent}`,
    needed:
      known.length <= listedKeys
        ? `one of its keys: ${known.join(", ")}`
        : 'one of its keys, which "qlaunch schema" lists',
    fix: fixOf(places, meant),
  });
  return { on, diagnostic, ...(meant === undefined ? {} : { meant }) };
}

function fixOf(places: readonly string[], meant: string | undefined): string {
  const words = places.map((place) => (place === "" ? "the profile itself" : place));
  if (meant !== undefined) return `did you mean "${meant}"?`;
  if (words.length > 0) return `remove it, or move it to where it belongs: ${alternatives(words)}`;
  return "remove it";
}
