import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execaSync } from "execa";
import { expect, it } from "vitest";

const { bunProgram } = (await import(new URL("../../scripts/bun-program.mjs", import.meta.url).href)) as {
  bunProgram: () => string;
};
const program = new URL("../rig/ask-file-calls.ts", import.meta.url).pathname;

it("the C library's functions and Node's module answer alike", () => {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-calls-"));
  try {
    const { byNode, byFunctions } = JSON.parse(execaSync(bunProgram(), [program, folder]).stdout);
    const enoent = -2;
    expect(byNode).toMatchObject({ absent: enoent, made: [{ mode: 0o100640 }, 0], absentFolder: enoent });
    for (const [question, answer] of Object.entries(byNode)) {
      expect(byFunctions[question], question).toEqual(answer);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
