import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseMapSizes, parseNumaMaps } from "../../src/vm/numa-maps.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const mebibyte = 2 ** 20;
const guest = {
  version: 1,
  name: "taken",
  machine: { accel: "tcg" },
  cpus: { boot: 1 },
  memory: { size: "320M", max: "2G", slots: 2, prealloc: true },
  numa: { cells: [{ cpus: "0", memory: "320M", hostNodes: "0" }] },
  pinning: { vcpus: "none" },
};

/** The kernel is the judge: every page is there before the guest has run an instruction. */
describe.each(qemuPrograms)("memory is preallocated by placed threads on %s", (qemu) => {
  let cli: Cli;
  let pid: number;
  beforeAll(async () => {
    cli = openCli(qemu);
    const profile = join(cli.root, ".profile.json");
    writeFileSync(profile, JSON.stringify(guest));
    await cli.ok("up", profile, "--paused");
    pid = Number(readFileSync(join(cli.root, "taken/qemu/qemu.pid"), "utf8"));
  }, 120_000);
  afterAll(() => cli.close());

  /** Bytes in place of mappings of this size. */
  const inPlace = (sizeBytes: number) => {
    const sizes = parseMapSizes(readFileSync(`/proc/${pid}/maps`, "utf8"));
    return parseNumaMaps(readFileSync(`/proc/${pid}/numa_maps`, "utf8"))
      .filter(({ start, policy }) => policy === "bind" && sizes.get(start) === sizeBytes)
      .map(({ pages, pageSizeBytes }) => (pages.get(0) ?? 0) * pageSizeBytes);
  };

  it("in a QEMU whose sandbox denies resource control", () => {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    expect(words).toContain("thread-context,id=prealloc-node0,node-affinity=0");
    expect(words).toContain("resourcecontrol=deny");
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Seccomp:\t2$/m);
  });

  it("all of it", () => {
    expect(inPlace(320 * mebibyte)).toEqual([320 * mebibyte]);
  });

  it("and a DIMM that comes later, by the threads of its cell", async () => {
    await cli.ok("memory", "add", "taken", "--size", "256M", "--cell", "0");
    expect(inPlace(256 * mebibyte)).toEqual([256 * mebibyte]);
    const log = readFileSync(join(cli.root, "taken/qmp.log"), "utf8");
    expect(log).toContain('"prealloc-context":"prealloc-node0"');
  });
});
