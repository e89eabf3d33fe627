import type { Files } from "../system/index.ts";
import { type IdSet, parseIdSet } from "../units/index.ts";

/** A kernel list file such as "0-3,8"; undefined when the kernel does not have it. */
export function readIds(files: Files, path: string): IdSet | undefined {
  const text = files.tryReadText(path);
  return text === undefined ? undefined : parseIdSet(text);
}
