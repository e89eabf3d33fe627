import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { formatIdSet } from "../../src/units/index.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { bootProbe } from "../rig/probe.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const images = new URL("../../profiles/.probe/", import.meta.url).pathname;

interface PlanJson {
  readonly placement: {
    readonly cells: readonly { vcpus: number[]; distances: number[] }[];
    readonly vcpus: readonly { id: number; socket: number; core: number; cell: number }[];
  };
}

const guest = (name: string, partition: object, topology?: object) => ({
  version: 1,
  name,
  machine: { accel: "tcg" },
  cpus: { boot: 8, ...(topology ? { topology } : {}) },
  memory: { size: "512M" },
  numa: { partition: { hostNodes: "0", ...partition } },
  pinning: { overcommit: true },
  consoles: [{ type: "serial" }, { type: "channel", name: "org.qlaunch.probe.0" }],
  kernel: { image: `${images}vmlinux`, initrd: `${images}initrd.img`, cmdline: "console=ttyS0 quiet" },
});

/** The guest is the judge: it has the nodes, the siblings and the distances of the plan. */
describe.each(qemuPrograms)("cells that a partition made, on %s", (qemu) => {
  let cli: Cli;
  beforeAll(() => {
    cli = openCli(qemu);
  });
  afterAll(() => cli.close());

  it.each([
    ["dealt", { cells: 4, distribution: "round-robin" }, undefined, ["0,4", "1,5", "2,6", "3,7"]],
    [
      "by-core",
      { cells: 2, distribution: "interleave" },
      { sockets: 4, cores: 1, threads: 2 },
      ["0-1,4-5", "2-3,6-7"],
    ],
  ])("%s", async (name, partition, topology, nodes) => {
    const profile = join(cli.root, ".profile.json");
    writeFileSync(profile, JSON.stringify(guest(name, partition, topology)));
    const { placement }: PlanJson = JSON.parse(await cli.ok("plan", profile, "--format", "json"));
    const seen = await bootProbe(cli, profile, name);
    expect(seen.nodes.map(({ cpus }) => cpus)).toEqual(nodes);
    expect(placement.cells.map(({ vcpus }) => formatIdSet(vcpus))).toEqual(nodes);
    expect(seen.nodes.map(({ distances }) => distances)).toEqual(
      placement.cells.map(({ distances }) => distances),
    );
    const siblingsOf = ({ socket, core }: PlanJson["placement"]["vcpus"][number]) =>
      formatIdSet(
        placement.vcpus.flatMap((vcpu) => (vcpu.socket === socket && vcpu.core === core ? [vcpu.id] : [])),
      );
    expect(seen.topology.map(({ cpu, siblings }) => `${cpu}: ${siblings}`)).toEqual(
      placement.vcpus.map((vcpu) => `${vcpu.id}: ${siblingsOf(vcpu)}`),
    );
    await cli.ok("down", name, "--force");
  });
});
