import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { realSystem } from "../../src/system/index.ts";

/** A QEMU that any user can run: the one given, or a copy when it lies in a private folder. */
export function reachableQemu(qemu: string): { program: string; remove(): void } {
  const found = realSystem.processes.find(qemu) ?? qemu;
  if (everyoneEnters(dirname(found))) return { program: found, remove: () => {} };
  // Unpacked packages with a wrapper in bin/ that names its own folder.
  const home = dirname(dirname(found));
  const copy = mkdtempSync(join(tmpdir(), "qlaunch-qemu-"));
  chmodSync(copy, 0o755);
  cpSync(home, copy, { recursive: true });
  const program = found.replace(home, copy);
  writeFileSync(program, readFileSync(found, "utf8").replaceAll(home, copy));
  return { program, remove: () => rmSync(copy, { recursive: true }) };
}

function everyoneEnters(folder: string): boolean {
  for (let path = folder; ; path = dirname(path)) {
    if ((statSync(path).mode & 0o001) === 0) return false;
    if (path === dirname(path)) return true;
  }
}
