import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { VcpuThread } from "../../src/vm/index.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { bootProbe, type ProbeReport } from "../rig/probe.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/ol8-twin.json", import.meta.url).pathname;

/** The guest is the judge: it has the shape of the four-socket database guest, on one host node. */
describe.each(qemuPrograms)("a small twin of ol8-vnuma on %s", (qemu) => {
  let cli: Cli;
  let guest: ProbeReport;

  beforeAll(async () => {
    cli = openCli(qemu);
    guest = await bootProbe(cli, profile, "ol8-twin");
  });
  afterAll(() => cli.close());

  it("has four nodes with the planned CPUs and distances", () => {
    expect(guest.nodes.map(({ id, cpus, distances }) => ({ id, cpus, distances }))).toEqual([
      { id: 0, cpus: "0-3", distances: [10, 21, 21, 21] },
      { id: 1, cpus: "4-7", distances: [21, 10, 21, 21] },
      { id: 2, cpus: "8-11", distances: [21, 21, 10, 21] },
      { id: 3, cpus: "12-15", distances: [21, 21, 21, 10] },
    ]);
    expect(guest.cpus.online).toBe("0-15");
  });

  it("shows each node's memory", () => {
    for (const { memoryKiB } of guest.nodes) {
      // The kernel keeps some of it for itself, and most of that on one node.
      expect(memoryKiB).toBeGreaterThan(180 * 1024);
      expect(memoryKiB).toBeLessThanOrEqual(256 * 1024);
    }
  });

  it("shows threads of one core as siblings", () => {
    expect(guest.topology.map(({ cpu, socket, siblings }) => `${cpu} ${socket} ${siblings}`)).toEqual(
      Array.from({ length: 16 }, (_, cpu) => `${cpu} ${Math.floor(cpu / 4)} ${cpu & ~1}-${cpu | 1}`),
    );
  });

  it("has bus fe on node 1, and the NIC below it", () => {
    const port = guest.pci.find(({ address }) => address === "0000:fe:00.0");
    expect(port).toMatchObject({ numaNode: 1, parent: "root", driver: "pcieport" });
    const nic = guest.pci.find(({ vendor, class: kind }) => vendor === "0x1af4" && kind.startsWith("0x0200"));
    expect(nic).toMatchObject({ address: "0000:ff:00.0", numaNode: 1, parent: "0000:fe:00.0" });
  });

  it("runs each vCPU thread on exactly the planned host CPUs", async () => {
    const threads: VcpuThread[] = JSON.parse(await cli.ok("vcpus", "ol8-twin", "--json"));
    const planned = [..."0000", ..."1111", ..."bbbb", ..."0000"].map((set) =>
      set === "b" ? [0, 1] : [Number(set)],
    );
    expect(threads.map(({ vcpu }) => vcpu)).toEqual(planned.map((_, vcpu) => vcpu));
    expect(threads.map(({ plannedCpus }) => plannedCpus)).toEqual(planned);
    expect(threads.map(({ allowedCpus }) => allowedCpus)).toEqual(planned);
    // And the kernel itself, past everything of ours.
    const { pid } = JSON.parse(await cli.ok("info", "ol8-twin", "--json"));
    for (const { threadId, vcpu } of threads) {
      const status = readFileSync(`/proc/${pid}/task/${threadId}/status`, "utf8");
      expect(status).toContain(`Cpus_allowed_list:\t${planned[vcpu]?.join("-")}\n`);
      expect(status).toMatch(new RegExp(`^Name:\\tCPU ${vcpu}/(TCG|KVM)$`, "m"));
    }
  });

  it("leaves nothing of qlaunch running", async () => {
    const { pid } = JSON.parse(await cli.ok("info", "ol8-twin", "--json"));
    const ours = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .filter((entry) => commandLine(entry).includes(cli.root));
    expect(ours).toEqual([String(pid)]);
  });

  it("powers down when asked", async () => {
    const { how } = JSON.parse((await cli.ok("down", "ol8-twin", "--json")).split("\n").at(-1) ?? "");
    expect(how).toBe("powered-down");
    expect(JSON.parse(await cli.ok("ps", "--json"))).toEqual([]);
  });
});

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
