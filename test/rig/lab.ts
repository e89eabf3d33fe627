import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type CheckResult, parseResult, type Suite } from "../lab/checks.ts";
import { suites } from "../lab/suites.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A suite of test/lab under way on a simulated host of its own. */
export interface Lab {
  /** Waits for a check. @throws with what it said and everything printed, when it failed or was never reached */
  passes(check: string): Promise<void>;
  /** Ends the simulated host. */
  close(): Promise<void>;
}

/** Starts the simulated host and the suite on it; the checks report as they end. */
export async function openLab(name: keyof typeof suites): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-lab-"));
  const file = join(folder, "main.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("../lab/main.ts", import.meta.url))],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    // What is written for require() finds one.
    banner: {
      js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
    },
  });
  const suite: Suite = suites[name];
  const flags = ["--host", suite.host ?? "lab-host", "--timeout", String(suite.timeoutSeconds)];
  const start = () =>
    spawn(join(root, "scripts/lab"), [...flags, "--", "node", file, name], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
  return follow(start, () => rmSync(folder, { recursive: true }));
}

/** Follows a run, and one more when the simulated host itself ended in its midst. */
function follow(start: () => ChildProcess, remove: () => void): Lab {
  const results = new Map<string, CheckResult>();
  const printed: string[] = [];
  let ended: string | undefined;
  let wake = () => {};
  let news = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const tell = () => {
    wake();
    news = new Promise((resolve) => {
      wake = resolve;
    });
  };
  let child: ChildProcess;
  let isClosed = false;
  const run = async (): Promise<string> => {
    child = start();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
        const result = parseResult(line);
        if (result) results.set(result.check, result);
        else printed.push(line);
        tell();
      });
    }
    const [status, signal] = await once(child, "close");
    return signal ?? `status ${status}`;
  };
  const end = (async () => {
    let how = await run();
    // 0 and 1 are the suite's own. QEMU without KVM now and then dies or stands still, and so does all that runs on it.
    if (!isClosed && how !== "status 0" && how !== "status 1") {
      console.warn(`the simulated host ended with ${how}; it is started once more\n${printed.join("\n")}`);
      results.clear();
      printed.length = 0;
      how = await run();
    }
    ended = how;
    tell();
  })();
  return {
    async passes(check) {
      while (!results.has(check) && ended === undefined) await news;
      const result = results.get(check);
      if (result && result.problem === undefined) return;
      const problem = result?.problem ?? `never reached: the simulated host ended with ${ended}`;
      throw new Error(`${problem}\non the simulated host:\n${printed.join("\n")}`);
    },
    async close() {
      isClosed = true;
      child.kill("SIGTERM");
      await end;
      remove();
    },
  };
}
