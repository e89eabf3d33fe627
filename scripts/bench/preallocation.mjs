import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareStart } from "./bare-start.mjs";
import { stateFolder } from "./state-folder.mjs";
import { compare } from "./statistics.mjs";

const program = new URL("../../bin/qlaunch.mjs", import.meta.url).pathname;
const name = "bench-preallocation";

/**
 * QEMU's own time until it answers with memory taken by placed threads, against the same line without what places them.
 * Both start right after another QEMU gave its memory back, and take turns in being the first.
 */
export async function benchPreallocation(runs, qemu) {
  const root = stateFolder("qlaunch-bench-");
  const env = { ...process.env, QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu };
  const profileFile = join(root, ".profile.json");
  writeFileSync(profileFile, JSON.stringify(profile));
  const words = [program, "plan", profileFile, "--format", "argv"];
  const placed = execFileSync(process.execPath, words, { env, encoding: "utf8" }).trim().split("\n");
  const plain = withoutContexts(placed);
  const ours = [];
  const floor = [];
  const measure = async (argv, times) => {
    mkdirSync(join(root, name, "qemu"), { recursive: true });
    times.push(await bareStart(qemu, argv));
    rmSync(join(root, name), { recursive: true });
  };
  try {
    await measure(plain, []);
    for (let run = 0; run < runs; run++) {
      if (run % 2 === 0) await measure(placed, ours);
      await measure(plain, floor);
      if (run % 2 === 1) await measure(placed, ours);
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return compare("2 GiB preallocated, threads on the node", "bare exec, threads anywhere", ours, floor);
}

/** The same line without what places threads. */
function withoutContexts(argv) {
  const isContext = (word) => word?.startsWith("thread-context,") === true;
  return argv
    .filter((word, index) => !isContext(word) && !isContext(argv[index + 1]))
    .map((word) => word.replace(/,prealloc-context=[^,]*/, ""));
}

const profile = {
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot: 1 },
  memory: { size: "2G", prealloc: true },
  numa: { cells: [{ cpus: "0", memory: "2G", hostNodes: "0" }] },
  pinning: { vcpus: "none" },
};
