import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFailed, TestRunner } from "vitest";
import { programFor } from "./program.ts";

/** The built program, as a user runs it, in the form that goes with a QEMU, and with a run root of its own. A VM that a test starts is ended when it fails. */
export interface Cli {
  readonly root: string;
  run(...arguments_: readonly string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** Runs it, and fails unless it ends well. */
  ok(...arguments_: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export function openCli(qemu: string): Cli {
  const [program, ...script] = programFor(qemu);
  const root = mkdtempSync(join(tmpdir(), "qlaunch-cli-"));
  const vms = () => readdirSync(root).filter((entry) => !entry.startsWith("."));
  const end = async (names: readonly string[]) => {
    for (const name of names) await run("down", name, "--force");
  };
  const run: Cli["run"] = async (...arguments_) => {
    if (arguments_[0] === "up" && TestRunner.getCurrentTest()) {
      const before = vms();
      // Its second try starts the same.
      onTestFailed(() => end(vms().filter((name) => !before.includes(name))));
    }
    const result = await execa(program, [...script, ...arguments_], {
      reject: false,
      stdin: "ignore",
      env: { QLAUNCH_RUN_DIR: root, QLAUNCH_QEMU: qemu, NO_COLOR: "1" },
    });
    return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
  };
  return {
    root,
    run,
    async ok(...arguments_) {
      const { exitCode, stdout, stderr } = await run(...arguments_);
      if (exitCode !== 0)
        throw new Error(`qlaunch ${arguments_.join(" ")} ended with ${exitCode}:\n${stdout}\n${stderr}`);
      return stdout;
    },
    async close() {
      await end(vms());
      rmSync(root, { recursive: true, force: true });
    },
  };
}
