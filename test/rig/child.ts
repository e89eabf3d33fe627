import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** launch-child.ts as one file that any user can run. */
export interface ChildProgram {
  run(request: object, options: ChildOptions): Promise<ChildOutcome>;
  remove(): void;
}

interface ChildOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Words before "node": setpriv and its options. */
  readonly through?: readonly string[];
  /** Called with every line; may kill the child. */
  readonly onLine?: (line: Record<string, unknown>, child: ChildProcess) => void;
}

export interface ChildOutcome {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly Record<string, unknown>[];
  readonly stderr: string;
}

export async function buildChild(): Promise<ChildProgram> {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-child-"));
  chmodSync(folder, 0o755);
  const file = join(folder, "launch.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("launch-child.ts", import.meta.url))],
    outfile: file,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20.19",
    banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
  });
  chmodSync(file, 0o644);
  return {
    run: (request, options) => run(file, request, options),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

function run(file: string, request: object, options: ChildOptions): Promise<ChildOutcome> {
  const [program = "node", ...arguments_] = [...(options.through ?? []), process.execPath, file];
  const child = spawn(program, arguments_, {
    env: options.environment,
    stdio: ["pipe", "pipe", "pipe"],
    cwd: "/",
  });
  const lines: Record<string, unknown>[] = [];
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    options.onLine?.(line, child);
  });
  child.stdin.on("error", () => {});
  child.stdin.end(JSON.stringify(request));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode, signal) => resolve({ exitCode, signal, lines, stderr }));
  });
}
