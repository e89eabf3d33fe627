import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cli, openCli } from "../rig/cli.ts";
import { programForms } from "../rig/program.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { processesWith } from "../rig/vm.ts";

type Change = Readonly<Record<string, unknown>>;

const cell = (cpus: string, more: Change = {}) => ({ cpus, memory: "64M", ...more });
const base = {
  version: 1,
  name: "refused",
  machine: { accel: "tcg" },
  cpus: { boot: 4 },
  memory: { size: "128M" },
  numa: { cells: [cell("0-1"), cell("2-3")] },
};
const ports = (count: number) => Array.from({ length: count }, (_, index) => ({ port: `d${index}` }));
const disk = (id: string, file: string) => ({ id, file, format: "raw" });

/** What is wrong, what is changed in a profile that would start, the code, and words of the message. */
const cases: [what: string, change: Change, code: string, words: RegExp][] = [
  ["an unknown key", { memroy: {} }, "PROFILE_UNKNOWN_KEY", /did you mean "memory"/],
  ["a section of a later release", { migration: { devices: [] } }, "PROFILE_UNKNOWN_KEY", /migration/],
  ["cell memory that does not sum", { memory: { size: "256M" } }, "NUMA_MEMORY_SUM", /256M.*128M/],
  [
    "a vCPU in two cells",
    { numa: { cells: [cell("0-2"), cell("2-3")] } },
    "NUMA_CPU_TWICE",
    /vCPU 2 in cell 1 and in cell 0/,
  ],
  [
    "a vCPU in no cell",
    { numa: { cells: [cell("0-1"), cell("2")] } },
    "NUMA_CPU_MISSING",
    /vCPU 3 in no cell/,
  ],
  [
    "vCPUs beyond the maximum",
    { numa: { cells: [cell("0-1"), cell("2-7")] } },
    "NUMA_CPU_BEYOND_MAX",
    /vCPU 4-7.*0-3/,
  ],
  [
    "an absent host CPU",
    { pinning: { vcpus: { "0": "9999" } } },
    "HOST_CPU_ABSENT",
    /host CPU 9999 does not exist/,
  ],
  [
    "an absent host node",
    { numa: { cells: [cell("0-1", { hostNodes: "77" }), cell("2-3")] }, pinning: { vcpus: "none" } },
    "HOST_NODE_ABSENT",
    /host node 77 does not exist/,
  ],
  [
    "two vCPUs on one host CPU",
    { pinning: { vcpus: { "0": "0", "1": "0" } } },
    "PINNING_CPU_TWICE",
    /2 vCPUs on 1 CPU/,
  ],
  [
    "too few huge pages on the bound node",
    {
      memory: { size: "128M", pageSize: "2M" },
      numa: { cells: [cell("0-1", { hostNodes: "0" }), cell("2-3")] },
      pinning: { vcpus: "none" },
    },
    "HOST_HUGEPAGES_SHORT",
    /node0\/hugepages\/hugepages-2048kB\/nr_hugepages/,
  ],
  [
    "overlapping expander bus numbers",
    {
      pcie: {
        tree: [
          { expander: "a", busNr: 100, ports: [{ rootPort: "r0" }, { rootPort: "r1" }] },
          { expander: "b", busNr: 102 },
        ],
      },
    },
    "PCIE_BUS_NUMBERS",
    /b starts at bus 102, and a takes 100-102/,
  ],
  [
    "the 33rd device of a bus",
    { pcie: { tree: [{ rootPort: "r0", switch: { upstream: "u0", downstream: ports(33) } }] } },
    "PCIE_BUS_FULL",
    /d32/,
  ],
  [
    "two devices with one id",
    {
      networks: [
        { id: "n", user: {} },
        { id: "n", user: {} },
      ],
    },
    "ID_DUPLICATE",
    /"n" a second time/,
  ],
  [
    "a missing disk",
    { disks: [disk("root", "/nonexistent/disk.raw")] },
    "HOST_FILE_MISSING",
    /\/nonexistent\/disk\.raw/,
  ],
  [
    "a missing kernel",
    { kernel: { image: "/nonexistent/vmlinuz" } },
    "HOST_FILE_MISSING",
    /\/nonexistent\/vmlinuz/,
  ],
  ["a name with a slash", { name: "../escape" }, "PROFILE_VALUE", /"\.\.\/escape"/],
  [
    "a newline in a kernel command line",
    { kernel: { image: "/dev/null", cmdline: "a\nb" } },
    "PROFILE_VALUE",
    /one line/,
  ],
];

describe.each(qemuPrograms)("what is refused before anything starts, with %s", (qemu) => {
  let cli: Cli;
  let folder: string;
  beforeAll(() => {
    cli = openCli(qemu);
    folder = mkdtempSync(join(tmpdir(), "qlaunch-refusals-"));
  });
  afterAll(async () => {
    await cli.close();
    rmSync(folder, { recursive: true });
  });

  const write = (change: Change): string => {
    const file = join(folder, "profile.json");
    writeFileSync(file, JSON.stringify({ ...base, ...change }));
    return file;
  };
  const visible = () => readdirSync(cli.root).filter((name) => !name.startsWith("."));

  it.each(cases)("%s", async (_what, change, code, words) => {
    const { exitCode, stdout, stderr } = await cli.run("up", write(change));
    expect(stderr).toContain(code);
    expect(stderr).toMatch(words);
    expect(stderr).toContain("fix: ");
    expect(stderr).not.toContain("    at ");
    expect(stdout).toBe("");
    expect([1, 2]).toContain(exitCode);
    expect(visible()).toEqual([]);
    expect(processesWith(cli.root)).toEqual([]);
  });

  it("everything at once, in the order of the file", async () => {
    const { exitCode, stderr } = await cli.run(
      "up",
      write({ cpus: { boot: 4, colour: 8 }, memory: { size: "256M" }, pinning: { vcpus: { "0": "9999" } } }),
    );
    expect(exitCode).toBe(2);
    expect(stderr.match(/^\S+:\d+:\d+ [A-Z_]+/gm)?.map((line) => line.split(" ")[1])).toEqual([
      "PROFILE_UNKNOWN_KEY",
      "NUMA_MEMORY_SUM",
      "HOST_CPU_ABSENT",
    ]);
    expect(stderr).toContain("3 problems");
  });

  it("nothing of a disk path with a comma, an equals sign and a space: it works", async () => {
    const file = join(folder, "a,b=c d.raw");
    writeFileSync(file, Buffer.alloc(1024 * 1024));
    await cli.ok(
      "up",
      write({ name: "comma", disks: [{ ...disk("root", file), cache: "writeback" }] }),
      "--paused",
    );
    const blocks = JSON.parse(await cli.ok("qmp", "comma", "query-named-block-nodes"));
    expect(blocks.map((node: { file: string }) => node.file)).toContain(file);
    await cli.ok("down", "comma", "--force");
  });

  it("a second start of a name that runs, and an end of one that does not", async () => {
    await cli.ok("up", write({}), "--paused");
    const second = await cli.run("up", write({}));
    expect(second.exitCode).toBe(1);
    expect(second.stderr).toContain("VM_RUNNING");
    expect(JSON.parse(await cli.ok("ps", "--json"))).toHaveLength(1);
    await cli.ok("down", "refused", "--force");
    const unknown = await cli.run("down", "refused");
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toContain("VM_UNKNOWN");
  });

  it("a QEMU that is not there", async () => {
    const { exitCode, stderr } = await cli.run("up", write({}), "--qemu", "/nonexistent/qemu");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("QEMU_ABSENT");
    expect(visible()).toEqual([]);
  });
});

describe.each([
  ["Node", programForms.node],
  ["Bun", programForms.file],
])("the command line on %s", (runtime, [program, ...script]) => {
  const run = (...arguments_: string[]) => execa(program, [...script, ...arguments_], { reject: false });

  it("says its version, what it was built from and what it runs on", async () => {
    const { stdout, exitCode } = await run("--version");
    const commit = "(unknown|[0-9a-f]{12}(-dirty)?)";
    expect(stdout).toMatch(new RegExp(`^\\d+\\.\\d+\\.\\d+ \\(${commit}, ${runtime} \\d+\\.\\d+\\.\\d+\\)$`));
    expect(exitCode).toBe(0);
  });

  it.each([
    ["an unknown command", ["frobnicate"], 2],
    ["a missing argument", ["up"], 2],
    ["an unknown option", ["ps", "--frobnicate"], 2],
    ["a number that is none", ["down", "x", "--timeout", "soon"], 2],
    ["a format that is none", ["plan", "x.json", "--format", "yaml"], 2],
    ["QMP arguments that are no object", ["qmp", "x", "query-status", "[1]"], 2],
    ["help", ["help", "up"], 0],
  ])("ends %s with its status", async (_what, arguments_, status) => {
    const { exitCode, stderr } = await run(...arguments_);
    expect(exitCode).toBe(status);
    expect(stderr).not.toContain("    at ");
  });

  it("tells problems as JSON on standard output when asked to", async () => {
    const { stdout, stderr, exitCode } = await run("plan", "/nonexistent.json", "--json");
    expect(exitCode).toBe(2);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout).diagnostics[0]).toMatchObject({
      code: "PROFILE_UNREADABLE",
      fix: expect.any(String),
    });
  });
});
