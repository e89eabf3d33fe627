import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { ProbeReport } from "../rig/probe.ts";
import type { Suite } from "./checks.ts";
import {
  askGuest,
  boundMemory,
  freeHugepages,
  kvmThreads,
  pidOf,
  qlaunch,
  qlaunchJson,
  qlaunchOk,
  reserveHugepages,
  threadsOf,
} from "./host.ts";
import { probeGuest, writeProfile } from "./profiles.ts";

const MiB = 2 ** 20;

/** Cells of different sizes on different nodes, so that nothing passes by being the wrong way round. */
const pinned = writeProfile.bind(undefined, {
  name: "pinned",
  cpus: { boot: 4, model: "host", topology: { sockets: 2, cores: 1, threads: 2 } },
  memory: { size: "640M", prealloc: true },
  numa: {
    cells: [
      { cpus: "0-1", memory: "384M", hostNodes: "1", policy: "bind", distances: [10, 31] },
      { cpus: "2-3", memory: "256M", hostNodes: "0", policy: "bind", distances: [31, 10] },
    ],
  },
  pinning: { vcpus: { "0": "2", "1": "3", "2": "0", "3": "1" }, emulator: "1-2", overcommit: true },
  pcie: { tree: [{ expander: "pxb1", numaNode: 1, ports: [{ rootPort: "rp-net" }] }] },
  networks: [{ id: "net0", user: { restrict: true }, bus: "rp-net" }],
  ...probeGuest,
});

/** Nothing boots here: what counts is where its pages come from. */
const huge = (name: string, megabytes: readonly [number, number]) =>
  writeProfile({
    name,
    cpus: { boot: 2, model: "host", topology: { sockets: 2 } },
    memory: { size: `${megabytes[0] + megabytes[1]}M`, pageSize: "2M" },
    numa: {
      cells: megabytes.map((size, cell) => ({
        cpus: String(cell),
        memory: `${size}M`,
        hostNodes: String(cell),
        policy: "bind",
      })),
    },
  } as { name: string });

let guest: ProbeReport | undefined;
const seen = (): ProbeReport => {
  if (guest === undefined) throw new Error("the guest did not answer");
  return guest;
};

interface HostJson {
  readonly nodes: readonly {
    id: number;
    cpus: number[];
    distances: Record<string, number>;
    memoryBytes: number;
  }[];
  readonly kvm: { usable: boolean; reason: string };
}

export const spine: Suite = {
  timeoutSeconds: 900,
  async explain() {
    const log = "/run/qlaunch/pinned/qemu/serial0.log";
    return [
      (await qlaunch("ps")).stdout,
      (await qlaunch("logs", "pinned")).stdout,
      existsSync(log) ? readFileSync(log, "utf8") : "no console",
    ].join("\n");
  },
  checks: [
    {
      name: "the host has two nodes with CPUs, memory and a distance",
      async run() {
        const host = await qlaunchJson<HostJson>("host", "show");
        assert.deepEqual(
          host.nodes.map(({ id, cpus }) => [id, cpus]),
          [
            [0, [0, 1]],
            [1, [2, 3]],
          ],
        );
      },
    },
    {
      name: "KVM was tried, and works",
      async run() {
        const host = await qlaunchJson<HostJson>("host", "show");
        assert.deepEqual(host.kvm, { usable: true, reason: "" });
      },
    },
    {
      name: "a guest with a cell on each node starts with KVM",
      async run() {
        await qlaunchOk("up", pinned());
        const [vm] = await qlaunchJson<{ name: string; state: string }[]>("ps");
        assert.equal(`${vm?.name} ${vm?.state}`, "pinned running");
      },
    },
    {
      name: "the guest boots and answers",
      async run() {
        guest = await askGuest("pinned");
      },
    },
    {
      name: "each vCPU is a KVM thread on its own host CPU",
      async run() {
        assert.deepEqual(kvmThreads(pidOf("pinned")), ["0 on 2", "1 on 3", "2 on 0", "3 on 1"]);
      },
    },
    {
      name: "QEMU's other threads are on the emulator's CPUs",
      async run() {
        const pid = pidOf("pinned");
        const main = threadsOf(pid).get(pid);
        assert.equal(main?.allowedCpus, "1-2");
      },
    },
    {
      name: "vcpus says the same as the kernel",
      async run() {
        const threads = await qlaunchJson<{ vcpu: number; allowedCpus: number[]; lastNode: number }[]>(
          "vcpus",
          "pinned",
        );
        assert.deepEqual(
          threads.map(({ vcpu, allowedCpus, lastNode }) => [vcpu, allowedCpus, lastNode]),
          [
            [0, [2], 1],
            [1, [3], 1],
            [2, [0], 0],
            [3, [1], 0],
          ],
        );
      },
    },
    {
      name: "every page of each cell is on the cell's node",
      async run() {
        const memory = boundMemory(pidOf("pinned"));
        assert.deepEqual(
          memory.sort((one, other) => one.policy.localeCompare(other.policy)),
          [
            { policy: "bind:0", bytes: { N0: 256 * MiB } },
            { policy: "bind:1", bytes: { N1: 384 * MiB } },
          ],
        );
      },
    },
    {
      name: "the guest sees the planned nodes, CPUs and distances",
      async run() {
        assert.deepEqual(
          seen().nodes.map(({ id, cpus, distances }) => [id, cpus, distances]),
          [
            [0, "0-1", [10, 31]],
            [1, "2-3", [31, 10]],
          ],
        );
        const sizes = seen().nodes.map(({ memoryKiB }) => memoryKiB / 1024);
        assert.ok((sizes[0] ?? 0) > 300 && (sizes[0] ?? 0) <= 384, `node 0 has ${sizes[0]} MiB`);
        assert.ok((sizes[1] ?? 0) > 220 && (sizes[1] ?? 0) <= 256, `node 1 has ${sizes[1]} MiB`);
      },
    },
    {
      name: "the guest sees the threads of a core as siblings",
      async run() {
        assert.deepEqual(
          seen().topology.map(({ cpu, siblings }) => `${cpu} ${siblings}`),
          ["0 0-1", "1 0-1", "2 2-3", "3 2-3"],
        );
      },
    },
    {
      name: "the guest sees its NIC on node 1",
      async run() {
        const nic = seen().pci.find(
          ({ vendor, class: kind }) => vendor === "0x1af4" && kind.startsWith("0x0200"),
        );
        assert.equal(nic?.numaNode, 1);
      },
    },
    {
      name: "down powers the guest down",
      async run() {
        const { how } = await qlaunchJson<{ how: string }>("down", "pinned");
        assert.equal(how, "powered-down");
        assert.deepEqual(await qlaunchJson("ps"), []);
      },
    },
    {
      name: "huge pages are taken from the pool of each cell's node",
      async run() {
        assert.deepEqual([reserveHugepages(0, 100), reserveHugepages(1, 200)], [100, 200]);
        await qlaunchOk("up", huge("huge", [128, 256]), "--paused");
        assert.deepEqual([freeHugepages(0), freeHugepages(1)], [100 - 64, 200 - 128]);
        assert.deepEqual(
          boundMemory(pidOf("huge")).sort((one, other) => one.policy.localeCompare(other.policy)),
          [
            { policy: "bind:0", bytes: { N0: 128 * MiB } },
            { policy: "bind:1", bytes: { N1: 256 * MiB } },
          ],
        );
      },
    },
    {
      name: "vCPUs without pins of their own are on CPUs of their cell's node",
      async run() {
        const cpus = kvmThreads(pidOf("huge"));
        assert.match(cpus.join(", "), /^0 on [01], 1 on [23]$/);
      },
    },
    {
      name: "a cell that its node has too few huge pages for is refused, though the other node has them",
      async run() {
        const { exitCode, stderr } = await qlaunch("up", huge("greedy", [128, 16]));
        assert.equal(exitCode, 1);
        assert.match(
          stderr,
          /HOST_HUGEPAGES_SHORT host node 0 has 36 free 2 MiB pages left for cell 0, which needs 64/,
        );
      },
    },
    {
      name: "an end by force gives every huge page back",
      async run() {
        await qlaunchOk("down", "huge", "--force");
        assert.deepEqual([freeHugepages(0), freeHugepages(1)], [100, 200]);
        assert.deepEqual(await qlaunchJson("ps"), []);
      },
    },
  ],
};
