import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realSystem } from "../../src/system/index.ts";
import { programForms } from "../rig/program.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { processesWith } from "../rig/vm.ts";

const qemu = realSystem.processes.find(qemuPrograms[0] ?? "") ?? "";
const root = fileURLToPath(new URL("../..", import.meta.url));

describe("an installation of the single file", () => {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-prefix-"));
  const prefix = join(folder, "usr");
  /** All that there is of programs: no Node, and what a start runs. */
  const programs = join(folder, "programs");
  const run = (...words: string[]) =>
    execa(join(prefix, "bin/qlaunch"), words, {
      reject: false,
      stdin: "ignore",
      cwd: "/",
      extendEnv: false,
      env: { HOME: folder, PATH: programs, QLAUNCH_RUN_DIR: join(folder, "run") },
    });

  beforeAll(async () => {
    await execa(join(root, "scripts/install"), [prefix]);
    await execa("mkdir", [programs]);
    for (const name of ["timeout"]) symlinkSync(realSystem.processes.find(name) ?? "", join(programs, name));
    symlinkSync(qemu, join(programs, "qemu-system-x86_64"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("has the program, its manual page, completions and profiles", async () => {
    const files = readdirSync(prefix, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(prefix.length + 1));
    const profiles = readdirSync(join(root, "profiles")).filter((name) => name.endsWith(".json"));
    expect(files.sort()).toEqual(
      [
        "bin/qlaunch",
        "share/bash-completion/completions/qlaunch",
        "share/fish/vendor_completions.d/qlaunch.fish",
        "share/man/man1/qlaunch.1",
        "share/zsh/site-functions/_qlaunch",
        ...profiles.map((name) => `share/qlaunch/profiles/${name}`),
      ].sort(),
    );
    const page = readFileSync(join(prefix, "share/man/man1/qlaunch.1"), "utf8");
    expect(page).toContain("qlaunch setvcpus <name>");
    expect(page).not.toContain("undefined");
  });

  it("reads nothing of the folder that it is called in", async () => {
    const visited = join(folder, "visited");
    await execa("mkdir", [visited]);
    writeFileSync(join(visited, ".env"), "QLAUNCH_RUN_DIR=relative\n");
    writeFileSync(join(visited, "bunfig.toml"), 'preload = ["./foreign.ts"]\n');
    writeFileSync(join(visited, "foreign.ts"), 'console.log("foreign code");\n');
    const { stdout, stderr } = await execa(join(prefix, "bin/qlaunch"), ["ps", "--json"], {
      cwd: visited,
      extendEnv: false,
      env: { HOME: folder, PATH: programs, QLAUNCH_RUN_DIR: join(folder, "run") },
    });
    expect([stdout, stderr]).toEqual(["[]", ""]);
  });

  it("refuses a prefix that is no folder from the root on", async () => {
    const { exitCode, stderr } = await execa(join(root, "scripts/install"), ["here"], { reject: false });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("such as /usr/local");
  });

  it("starts, pins, changes and ends a guest where there is no Node", async () => {
    const profile = join(folder, "alone.json");
    writeFileSync(profile, JSON.stringify(smallGuest("alone")));
    const ok = async (...words: string[]) => {
      const { exitCode, stdout, stderr } = await run(...words);
      expect(exitCode, `${words.join(" ")}: ${stderr}`).toBe(0);
      return stdout;
    };
    await ok("up", profile, "--paused");
    try {
      expect(processesWith(join(prefix, "bin/qlaunch"))).toEqual([]);
      await ok("setvcpus", "alone", "3");
      await ok("memory", "add", "alone", "--size", "128M", "--cell", "0");
      const threads = JSON.parse(await ok("vcpus", "alone", "--json")) as { threadId: number }[];
      expect(threads).toHaveLength(3);
      for (const { threadId } of threads) {
        expect(readFileSync(`/proc/${threadId}/status`, "utf8")).toMatch(/^Cpus_allowed_list:\t0$/m);
      }
    } finally {
      await ok("down", "alone", "--force");
    }
    expect(statSync(join(prefix, "bin/qlaunch")).mode & 0o777).toBe(0o755);
  });
});

it("the single file works where it may make no code while it runs", async () => {
  const folder = mkdtempSync(join(tmpdir(), "qlaunch-no-code-"));
  const profile = join(folder, "plain.json");
  writeFileSync(profile, JSON.stringify(smallGuest("plain")));
  // The runtime calls no functions of the C library then: its modules and programs do the same.
  const env = { QLAUNCH_RUN_DIR: join(folder, "run"), QLAUNCH_QEMU: qemu, BUN_JSC_useJIT: "0" };
  const run = async (...words: string[]) => (await execa(programForms.file[0], words, { env })).stdout;
  try {
    await run("up", profile, "--paused");
    await run("memory", "add", "plain", "--size", "128M", "--cell", "0");
    expect(JSON.parse(await run("info", "plain", "--json"))).toMatchObject({ name: "plain" });
    const threads = JSON.parse(await run("vcpus", "plain", "--json")) as { threadId: number }[];
    for (const { threadId } of threads) {
      expect(readFileSync(`/proc/${threadId}/status`, "utf8")).toMatch(/^Cpus_allowed_list:\t0$/m);
    }
  } finally {
    await run("down", "plain", "--force");
    rmSync(folder, { recursive: true });
  }
});

it.each(Object.entries(programForms))(
  "%s: work goes on when nobody reads of its progress any more",
  async (form, [program, ...script]) => {
    const folder = mkdtempSync(join(tmpdir(), "qlaunch-unread-"));
    const profile = join(folder, "unread.json");
    writeFileSync(profile, JSON.stringify(smallGuest("unread")));
    const env = { QLAUNCH_RUN_DIR: join(folder, "run"), QLAUNCH_QEMU: qemu };
    const run = (...words: string[]) => execa(program, [...script, ...words], { env });
    try {
      const start = execa(program, [...script, "up", profile, "--paused", "--json"], { env, buffer: false });
      start.stdout.destroy();
      expect((await start).exitCode, form).toBe(0);
      expect(JSON.parse((await run("ps", "--json")).stdout)).toMatchObject([
        { name: "unread", state: "paused" },
      ]);
    } finally {
      await run("down", "unread", "--force");
      rmSync(folder, { recursive: true });
    }
  },
);

const smallGuest = (name: string) => ({
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot: 2, max: 4 },
  memory: { size: "128M", max: "1G", slots: 1 },
  numa: { cells: [{ cpus: "0-3", memory: "128M", hostNodes: "0" }] },
  pinning: { vcpus: { "0-3": "0" }, overcommit: true },
});

const packagesIn = (paths: readonly string[]) =>
  new Set(paths.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));

interface Part {
  readonly bytes: number;
  readonly imports: readonly { readonly path: string; readonly kind: string; readonly external?: boolean }[];
  readonly inputs: Readonly<Record<string, { readonly bytesInOutput: number }>>;
  readonly entryPoint?: string;
}

/** What is loaded costs each start; time itself is no test. */
describe("what commands load", () => {
  const meta = JSON.parse(readFileSync(join(root, "dist/meta.json"), "utf8")) as {
    outputs: Record<string, Part>;
  };
  const all = Object.values(meta.outputs).reduce((sum, { bytes }) => sum + bytes, 0);

  /** The sources that are loaded with some of them, and their size in the bundle. */
  const loaded = (entries: readonly string[]) => {
    const parts = new Set<string>();
    const own = new Set<string>();
    const add = (path: string) => {
      if (parts.has(path)) return;
      parts.add(path);
      for (const { path: next, kind, external } of meta.outputs[path]?.imports ?? []) {
        if (kind !== "import-statement") continue;
        if (external) own.add(next);
        else add(next);
      }
    };
    for (const entry of entries) {
      const found = Object.entries(meta.outputs).find(([, { entryPoint }]) => entryPoint === `src/${entry}`);
      expect(found, `no part of the bundle begins with ${entry}`).toBeDefined();
      if (found) add(found[0]);
    }
    const inputs = [...parts].flatMap((path) => Object.entries(meta.outputs[path]?.inputs ?? {}));
    return {
      packages: packagesIn(inputs.map(([path]) => path)),
      own,
      bytes: inputs.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0),
    };
  };

  it.each<[string, readonly string[], number]>([
    ["--version", ["cli/main.ts"], 0.01],
    ["ps", ["cli/plain-line.ts", "cli/commands/ps.ts", "actions/vm.ts", "report/vms.ts"], 0.1],
    [
      "plan",
      [
        "cli/plain-line.ts",
        "cli/commands/plan.ts",
        "actions/plan.ts",
        "actions/format-plan.ts",
        "report/explain.ts",
        "report/plan-json.ts",
        "report/score.ts",
      ],
      0.26,
    ],
    ["up", ["cli/plain-line.ts", "cli/commands/up.ts", "actions/start.ts", "report/duration.ts"], 0.32],
    [
      "setvcpus",
      ["cli/plain-line.ts", "cli/commands/setvcpus.ts", "actions/live-vcpus.ts", "report/set-vcpus.ts"],
      0.12,
    ],
    [
      "memory add",
      [
        "cli/plain-line.ts",
        "cli/commands/memory.ts",
        "actions/live-memory.ts",
        "hotplug/memory-add.ts",
        "actions/live-memory-plan.ts",
        "report/live-memory.ts",
      ],
      0.14,
    ],
  ])("%s: no parser that a good profile does not need, and a part of the whole", (_name, entries, most) => {
    const { packages, own, bytes } = loaded(entries);
    expect([...packages]).toEqual([]);
    // Of Node's own modules: each of them takes the single file longer than what most commands do with it.
    expect([...own]).toEqual([]);
    expect(bytes / all).toBeLessThan(most);
  });

  it("nor is one loaded while they run", async () => {
    const folder = mkdtempSync(join(tmpdir(), "qlaunch-loaded-"));
    const profile = join(folder, "loads.json");
    writeFileSync(profile, JSON.stringify(smallGuest("loads")));
    /** The packages that the program for Node has loaded when it ends. */
    const packagesOf = async (...words: string[]) => {
      const reports = join(folder, "reports");
      const env = { NODE_V8_COVERAGE: reports, QLAUNCH_RUN_DIR: join(folder, "run"), QLAUNCH_QEMU: qemu };
      await execa("node", [join(root, "bin/qlaunch.mjs"), ...words], { env });
      const urls = readdirSync(reports).flatMap((name) => {
        const { result } = JSON.parse(readFileSync(join(reports, name), "utf8"));
        return (result as { url: string }[]).map(({ url }) => url);
      });
      rmSync(reports, { recursive: true });
      const parts = Object.entries(meta.outputs).filter(([path]) =>
        urls.some((url) => url.endsWith(`/${path}`)),
      );
      expect(parts.length).toBeGreaterThan(3);
      return packagesIn(parts.flatMap(([, { inputs }]) => Object.keys(inputs)));
    };
    try {
      await packagesOf("up", profile, "--paused");
      for (const words of [
        ["plan", profile],
        ["ps"],
        ["info", "loads", "--json"],
        ["vcpus", "loads"],
        ["memory", "add", "loads", "--size", "128M", "--cell", "0"],
      ]) {
        expect([...(await packagesOf(...words))], words.join(" ")).toEqual([]);
      }
    } finally {
      await packagesOf("down", "loads", "--force");
      rmSync(folder, { recursive: true });
    }
  });
});
