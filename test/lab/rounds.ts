import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { ProbeReport } from "../rig/probe.ts";
import type { Suite } from "./checks.ts";
import { askGuest, boundMemory, kvmThreads, pidOf, qlaunch, qlaunchOk } from "./host.ts";
import { census, live } from "./live.ts";
import { probeGuest, writeImage, writeProfile } from "./profiles.ts";

const name = "rounds";
const MiB = 2 ** 20;
/** Each takes a minute on two busy CPUs; all twenty of them when asked for. */
const count = Number(process.env.QLAUNCH_TEST_ROUNDS ?? 2);

const cell = (id: number, hostNode: string) => ({
  cpus: `${id * 4}-${id * 4 + 3}`,
  memory: "128M",
  hostNodes: hostNode,
  policy: "bind",
});

/** Sixteen vCPUs at most, two cells on each node of the host, a port for devices on the last cell. */
const profile = writeProfile.bind(undefined, {
  name,
  cpus: { boot: 4, max: 16, model: "host", topology: { sockets: 4, cores: 2, threads: 2 } },
  memory: { size: "512M", max: "4G", slots: 3 },
  numa: { cells: [cell(0, "0"), cell(1, "0"), cell(2, "1"), cell(3, "1")] },
  pinning: {
    vcpus: { "0-3": "0", "4-7": "1", "8-11": "2", "12-15": "3" },
    emulator: "0-1",
    overcommit: true,
  },
  pcie: {
    tree: [{ expander: "pxb1", numaNode: 3, ports: [{ rootPort: "near0" }, { rootPort: "near1" }] }],
  },
  ...probeGuest,
});

type Report = ProbeReport & {
  readonly memoryBlocks: { sizeKiB: number; online: number; offline: number };
  readonly block: readonly { serial: string; pci: string | null }[];
  readonly net: readonly { mac: string; pci: string | null }[];
  readonly uptimeSeconds: number;
};
const report = () => askGuest<Report>(name);
const online = () => askGuest<object>(name, "online");
const mac = "52:54:00:00:00:42";
const dimmCells = [0, 2, 3];

/** One line of ps: what it says of vCPUs and memory. */
async function seePs(vcpus: number, mebibytes: number): Promise<void> {
  const [vm] = await live.list();
  assert.deepEqual(
    [vm?.state, vm?.vcpus, (vm?.memoryBytes ?? 0) / MiB],
    ["running", vcpus, mebibytes],
    "what ps says",
  );
}

/** KVM's threads end a moment after QEMU's list has lost them. */
async function seeThreads(vcpus: readonly number[]): Promise<void> {
  const wanted = vcpus.map((vcpu) => `${vcpu} on ${Math.floor(vcpu / 4)}`);
  for (let attempt = 0; attempt < 50 && kvmThreads(pidOf(name)).length !== wanted.length; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.deepEqual(kvmThreads(pidOf(name)), wanted);
}

async function setVcpus(wanted: readonly number[], nodes: readonly string[]): Promise<void> {
  await live.setVcpus(name, wanted.length);
  await online();
  await seeThreads(wanted);
  assert.deepEqual(
    (await report()).nodes.map(({ cpus }) => cpus),
    nodes,
  );
  await seePs(wanted.length, 512);
}

const all = Array.from({ length: 16 }, (_, vcpu) => vcpu);
const half = [0, 1, 4, 5, 8, 9, 12, 13];
const vcpusNow = async () => (await live.vcpus(name)).map(({ vcpu }) => vcpu);

async function everything(): Promise<object> {
  return { ...(await census(name)), mappings: boundMemory(pidOf(name)).length };
}

async function until(what: string, holds: (seen: Report) => boolean): Promise<Report> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const seen = await report();
    if (holds(seen)) return seen;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`the guest never saw ${what}`);
}

async function vcpuRound(): Promise<void> {
  if ((await vcpusNow()).length !== 4) await setVcpus([0, 1, 4, 5], ["0-1", "2-3", "", ""]);
  await setVcpus(all, ["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
  await setVcpus(half, ["0-1", "2-3", "8-9", "12-13"]);
  await setVcpus(all, ["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
}

async function memoryRound(): Promise<void> {
  const before = await report();
  for (const [index, to] of dimmCells.entries()) {
    await live.addDimm(name, { size: "128M", cell: String(to), id: `round${index}` });
    await seePs(16, 512 + 128 * (index + 1));
  }
  await online();
  const after = await report();
  const grown = after.nodes.map(
    ({ memoryKiB }, node) => (memoryKiB - (before.nodes[node]?.memoryKiB ?? 0)) / 1024,
  );
  assert.deepEqual(grown, [128, 0, 128, 128], "what each node of the guest grew by");
  for (const index of dimmCells.keys()) {
    await live.removeMemory(name, `round${index}`);
    await seePs(16, 512 + 128 * (2 - index));
  }
  assert.deepEqual((await report()).memoryBlocks, before.memoryBlocks);
}

async function deviceRound(image: string): Promise<void> {
  // What the simulated host writes is in memory, and such a file system has no direct I/O.
  const disk = { id: "data", file: image, format: "raw", cache: "writeback", serial: "lab-disk" };
  const nic = { id: "net1", user: { restrict: true }, mac };
  await live.addDevice(name, { disk: JSON.stringify(disk), numaCell: "3" });
  await live.addDevice(name, { nic: JSON.stringify(nic), numaCell: "3" });
  const seen = await until(
    "the disk and the NIC",
    ({ block, net }) =>
      block.some(({ serial }) => serial === "lab-disk") && net.some((card) => card.mac === mac),
  );
  const places = [...seen.block, ...seen.net].map(({ pci }) => pci);
  const nodes = places.map((place) => seen.pci.find(({ address }) => address === place)?.numaNode);
  assert.deepEqual(nodes, [3, 3]);
  for (const id of ["data", "net1"]) await live.removeDevice(name, id);
  await until("them leave", ({ block, net }) => block.length === 0 && net.length === 0);
}

/** When the guest's kernel started, in seconds of the host's clock. */
async function bootMoment(): Promise<number> {
  const { uptimeSeconds } = await report();
  return performance.now() / 1000 - uptimeSeconds;
}

let bare: object = {};

export const rounds: Suite = {
  timeoutSeconds: 400 + 200 * count,
  async explain() {
    const log = `/run/qlaunch/${name}/qemu/serial0.log`;
    return [
      (await qlaunch("ops", name)).stdout,
      (await qlaunch("logs", name)).stdout,
      existsSync(log) ? readFileSync(log, "utf8") : "no console",
    ].join("\n");
  },
  checks: [
    {
      name: "a guest of four vCPUs boots with KVM",
      async run() {
        await qlaunchOk("up", profile());
        assert.deepEqual(await vcpusNow(), [0, 1, 4, 5]);
        assert.deepEqual(
          (await report()).nodes.map(({ cpus }) => cpus),
          ["0-1", "2-3", "", ""],
        );
        await seePs(4, 512);
      },
    },
    {
      name: "vCPUs, memory and devices come and go, round after round",
      async run() {
        const image = writeImage("round.img", 32 * MiB);
        const booted = await bootMoment();
        for (let round = 1; round <= count; round++) {
          await vcpuRound();
          await memoryRound();
          await deviceRound(image);
          const now = await everything();
          // A guest that started anew between two questions would answer as one that did not.
          const late = Math.round((await bootMoment()) - booted);
          assert.ok(Math.abs(late) < 10, `round ${round}: the guest started anew ${late} s after its boot`);
          console.log(`round ${round} of ${count}: nothing is left over`);
          if (round === 1) bare = now;
          assert.deepEqual(now, bare, `round ${round}`);
        }
      },
    },
    {
      name: "every operation is done, and nothing differs from the plan but the vCPUs",
      async run() {
        const states = (await live.operations(name)).map(({ state }) => state);
        // Every round but the first begins with the way back to four vCPUs.
        assert.equal(states.length, count * 14 - 1);
        assert.deepEqual([...new Set(states)], ["done"]);
        const { stdout } = await qlaunch("info", name, "--drift");
        assert.ok(stdout.includes("vCPU") && !stdout.includes("round"), stdout);
      },
    },
    {
      name: "a guest of sixteen vCPUs keeps them when it starts anew",
      async run() {
        await qlaunchOk("reset", name);
        assert.deepEqual(
          (await report()).nodes.map(({ cpus }) => cpus),
          ["0-3", "4-7", "8-11", "12-15"],
        );
        await seeThreads(all);
        await qlaunchOk("down", name, "--force");
      },
    },
  ],
};
