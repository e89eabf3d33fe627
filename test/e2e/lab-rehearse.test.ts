import { existsSync, readdirSync } from "node:fs";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cli, openCli } from "../rig/cli.ts";

const folder = new URL("../..", import.meta.url).pathname;
const words = ["rehearse", `${folder}profiles/hgx-h200.json`, "--host", `${folder}test/hosts/hgx-h200.json`];

type Row = { readonly kind: string; readonly what: string };

/** A line of --json; which members it has depends on its type. */
interface Line {
  readonly type: string;
  readonly same?: boolean;
  readonly rows?: readonly Row[];
  readonly notes?: readonly string[];
}

describe("a rehearsal of the HGX board's guest", () => {
  let cli: Cli;
  beforeAll(() => {
    // The distribution's QEMU: its nested KVM is steadier than that of newer ones.
    cli = openCli("/usr/bin/qemu-system-x86_64");
  });
  afterAll(() => cli.close());

  it("sees every device where the board has it, and leaves nothing behind", async () => {
    const { exitCode, stdout, stderr } = await execa(`${folder}bin/qlaunch.mjs`, [...words, "--json"], {
      env: { QLAUNCH_RUN_DIR: cli.root, QLAUNCH_QEMU: "/usr/bin/qemu-system-x86_64" },
      reject: false,
    });
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Line);
    const result = lines.at(-1);
    expect({ exitCode, type: result?.type, same: result?.same }, `${stdout}\n${stderr}`).toEqual({
      exitCode: 0,
      type: "result",
      same: true,
    });
    const devices = (result?.rows ?? []).filter(({ kind }) => kind === "passed").map(({ what }) => what);
    expect(new Set(devices).size).toBe(21);
    expect(result?.notes?.join("\n")).toMatch(/88 vCPUs/);
    expect(readdirSync(cli.root).filter((name) => !name.startsWith("."))).toEqual([]);
    expect(existsSync("/run/qlaunch/simulated-host")).toBe(false);
  });
});
