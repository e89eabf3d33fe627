import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bareStart } from "./bare-start.mjs";
import { stateFolder } from "./state-folder.mjs";
import { compare, time } from "./statistics.mjs";

const program = new URL("../../bin/qlaunch.mjs", import.meta.url).pathname;
const profile = new URL("../../test/e2e/profiles/ol8-twin.json", import.meta.url).pathname;

/** `up --paused`, to pinned and read back, against the exec of the same arguments until query-cpus-fast answers. */
export async function benchUp(runs, qemu) {
  const root = stateFolder("qlaunch-bench-");
  const env = { ...process.env, QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu };
  const qlaunch = (...arguments_) =>
    execFileSync(process.execPath, [program, ...arguments_], {
      env,
      stdio: ["ignore", "pipe", "ignore"],
      encoding: "utf8",
    });
  const argv = qlaunch("plan", profile, "--format", "argv").trim().split("\n");
  const ours = [];
  const floor = [];
  try {
    for (let run = -1; run < runs; run++) {
      const a = await time(() => qlaunch("up", profile, "--paused"));
      qlaunch("down", "ol8-twin", "--force");
      mkdirSync(join(root, "ol8-twin/qemu"), { recursive: true });
      const b = await bareStart(qemu, argv);
      rmSync(join(root, "ol8-twin"), { recursive: true });
      if (run < 0) continue;
      ours.push(a);
      floor.push(b);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return compare("up --paused, 16 vCPUs in 4 cells", "bare exec to query-cpus-fast", ours, floor);
}
