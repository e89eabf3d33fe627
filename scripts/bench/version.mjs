import { execFileSync } from "node:child_process";
import { compare, time } from "./statistics.mjs";

const program = new URL("../../bin/qlaunch.mjs", import.meta.url).pathname;

/** `qlaunch --version` against an empty Node program. */
export async function benchVersion(runs) {
  const ours = [];
  const floor = [];
  for (let run = -1; run < runs; run++) {
    const a = await time(() => execFileSync(process.execPath, [program, "--version"]));
    const b = await time(() => execFileSync(process.execPath, ["-e", "0"]));
    // The first pair warms the file cache.
    if (run < 0) continue;
    ours.push(a);
    floor.push(b);
  }
  return compare("qlaunch --version", "node -e 0", ours, floor);
}
