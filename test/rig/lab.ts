import { type ChildProcess, spawn } from "node:child_process";
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
  const child = spawn(join(root, "scripts/lab"), [...flags, "--", "node", file, name], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return follow(child, () => rmSync(folder, { recursive: true }));
}

function follow(child: ChildProcess & { stdout: object; stderr: object }, remove: () => void): Lab {
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
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream as NodeJS.ReadableStream }).on("line", (line) => {
      const result = parseResult(line);
      if (result) results.set(result.check, result);
      else printed.push(line);
      tell();
    });
  }
  const end = new Promise<void>((resolve) => {
    child.once("close", (status, signal) => {
      ended = signal ?? `status ${status}`;
      tell();
      resolve();
    });
  });
  return {
    async passes(check) {
      while (!results.has(check) && ended === undefined) await news;
      const result = results.get(check);
      if (result && result.problem === undefined) return;
      const problem = result?.problem ?? `never reached: the simulated host ended with ${ended}`;
      throw new Error(`${problem}\non the simulated host:\n${printed.join("\n")}`);
    },
    async close() {
      child.kill("SIGTERM");
      await end;
      remove();
    },
  };
}
