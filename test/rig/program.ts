import { fileURLToPath } from "node:url";
import { qemuPrograms } from "./qemu-programs.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The built program in its two forms: the package's for Node, and the single file. */
export const programForms = {
  node: ["node", file("bin/qlaunch.mjs")],
  file: [file("dist/qlaunch")],
} as const satisfies Record<string, readonly [string, ...string[]]>;

/**
 * The form that runs beside a QEMU: Node's with the first of the list, the single file with the others, so that each test
 * sees both of both. QLAUNCH_TEST_PROGRAM, "node" or "file", sets one for all.
 */
export function programFor(qemu: string): readonly [string, ...string[]] {
  const wanted = process.env.QLAUNCH_TEST_PROGRAM;
  if (wanted === "node" || wanted === "file") return programForms[wanted];
  return qemuPrograms.indexOf(qemu) > 0 ? programForms.file : programForms.node;
}
