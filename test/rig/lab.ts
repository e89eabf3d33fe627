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

const mostTries = 3;

/**
 * Follows a run, and up to two more on new simulated hosts when a check fails or the host ends by itself: everything is
 * emulated there, a guest's guest twice, and now and then something stands still or falls. What went wrong is told.
 */
function follow(start: () => ChildProcess, remove: () => void): Lab {
  let results = new Map<string, CheckResult>();
  let printed: string[] = [];
  let isLast = false;
  let isClosed = false;
  let ended: string | undefined;
  let child: ChildProcess;
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
  const take = (line: string) => {
    const result = parseResult(line);
    if (result) results.set(result.check, result);
    else printed.push(line);
    // The checks after it build on it.
    if (result?.problem !== undefined && !isLast) child.kill("SIGTERM");
    tell();
  };
  const run = async (): Promise<string> => {
    child = start();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on("line", take);
    }
    const [status, signal] = await once(child, "close");
    return signal ?? `status ${status}`;
  };
  const end = (async () => {
    let how = await run();
    for (let next = 2; next <= mostTries && how !== "status 0" && !isClosed; next++) {
      const problems = [...results.values()].flatMap(({ check, problem }) =>
        problem ? [`${check}: ${problem}`] : [],
      );
      console.warn(
        [`try ${next} of ${mostTries}, after one that ended with ${how}`, ...problems, ...printed].join("\n"),
      );
      results = new Map();
      printed = [];
      isLast = next === mostTries;
      how = await run();
    }
    ended = how;
    tell();
  })();
  return {
    async passes(check) {
      const result = () => {
        const found = results.get(check);
        return found?.problem === undefined || isLast ? found : undefined;
      };
      while (!result() && ended === undefined) await news;
      const problem = result() ? result()?.problem : `never reached: the simulated host ended with ${ended}`;
      if (problem !== undefined) throw new Error(`${problem}\non the simulated host:\n${printed.join("\n")}`);
    },
    async close() {
      isClosed = true;
      child.kill("SIGTERM");
      await end;
      remove();
    },
  };
}

/** How long a check may take, with all that comes before it and all tries. */
export const checkTimeoutMs = ({ timeoutSeconds }: Suite) => mostTries * timeoutSeconds * 1000;
