import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCpus } from "../../src/host/cpus.ts";
import { realSystem } from "../../src/system/index.ts";
import type { VcpuThread } from "../../src/vm/index.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

/** As many guests as this machine has CPUs share them without a word between them, each with one of its own. */
const cpus = readCpus(realSystem.files, []).filter(({ online }) => online).length;
const names = Array.from({ length: Math.min(cpus, 4) }, (_, index) => `guest${index}`);
const share = Math.floor(cpus / names.length);

describe.each(qemuPrograms)("guests that start at once, on %s", (qemu) => {
  let cli: Cli;
  beforeAll(() => {
    cli = openCli(qemu);
  });
  afterAll(() => cli.close());

  const profile = (name: string) => {
    const file = join(cli.root, `.${name}.json`);
    const value = {
      version: 1,
      name,
      machine: { accel: "tcg" },
      cpus: { boot: share },
      memory: { size: "64M" },
      numa: { partition: { mode: "node" } },
    };
    writeFileSync(file, JSON.stringify(value));
    return file;
  };
  const cpusOf = async (name: string) => {
    const threads: VcpuThread[] = JSON.parse(await cli.ok("vcpus", name, "--json"));
    return threads.flatMap(({ allowedCpus }) => allowedCpus);
  };

  it("take host CPUs of their own, and what nobody has is as much as is told", async () => {
    await Promise.all(names.map((name) => cli.ok("up", profile(name), "--paused")));
    const taken = (await Promise.all(names.map(cpusOf))).flat();
    expect(new Set(taken).size).toBe(names.length * share);
    const { holdings } = JSON.parse(await cli.ok("host", "show", "--json"));
    expect(
      holdings.flatMap(({ exclusiveCpus }: { exclusiveCpus: number[] }) => exclusiveCpus).sort(),
    ).toEqual(taken.sort());
  });

  it("leave none for one more, and any of them would have to go", async () => {
    const { exitCode, stdout } = await cli.run("up", profile("late"), "--json");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("HOST_CPUS_SHORT");
    const answer = JSON.parse((await cli.run("why-not", profile("late"), "--json")).stdout);
    const sets = answer.sets.map((set: { holding: { vm: string } }[]) =>
      set.map(({ holding }) => holding.vm),
    );
    expect(sets).toEqual(names.map((name) => [name]));
  });

  it("free their share when their QEMU is killed", async () => {
    const { pid } = JSON.parse(await cli.ok("info", "guest0", "--json"));
    const own = await cpusOf("guest0");
    await execa("kill", ["-9", String(pid)]);
    await cli.ok("up", profile("late"), "--paused");
    expect(await cpusOf("late")).toEqual(own);
  });
});
