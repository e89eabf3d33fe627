import { formatJsonPath, type JsonPath } from "../errors/index.ts";
import type { Problem } from "./problem.ts";

/** How keys are really spelled in the text, by the path under their right name. */
export type Spellings = Map<string, string>;

/**
 * Renames each unknown key to the one that was meant, when that is not there, and removes the others, so that the
 * rest can be checked as well. Changes the value.
 */
export function repairKeys(value: unknown, problems: readonly Problem[], spellings: Spellings): void {
  for (const { diagnostic, meant } of problems) {
    if (diagnostic.code !== "PROFILE_UNKNOWN_KEY") continue;
    const parentPath = diagnostic.path.slice(0, -1);
    const key = String(diagnostic.path.at(-1));
    const parent = valueAt(value, parentPath);
    if (parent === undefined) continue;
    if (meant !== undefined && !Object.hasOwn(parent, meant)) {
      parent[meant] = parent[key];
      spellings.set(formatJsonPath([...parentPath, meant]), key);
    }
    delete parent[key];
  }
}

function valueAt(value: unknown, path: JsonPath): Record<string, unknown> | undefined {
  let current = value as Record<string | number, unknown> | undefined;
  for (const step of path) current = current?.[step] as Record<string | number, unknown> | undefined;
  return current;
}

/** The path as the text spells it. */
export function spelledPath(path: JsonPath, spellings: Spellings): JsonPath {
  if (spellings.size === 0) return path;
  return path.map((step, index) => spellings.get(formatJsonPath(path.slice(0, index + 1))) ?? step);
}
