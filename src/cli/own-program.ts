import type { System } from "../system/index.ts";

/** How this program is started: Node and a script, or the single file, whose script is inside of it. */
export function ownProgram({ files }: System): readonly [string, ...string[]] {
  const [, script = ""] = process.argv;
  const path = files.realPath(script);
  return path === undefined ? [process.execPath] : [process.execPath, path];
}
