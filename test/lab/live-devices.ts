import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { ProbeReport } from "../rig/probe.ts";
import type { Suite } from "./checks.ts";
import {
  askGuest,
  boundMemory,
  freeHugepages,
  pidOf,
  qlaunch,
  qlaunchJson,
  qlaunchOk,
  reserveHugepages,
} from "./host.ts";
import { census } from "./live.ts";
import { probeGuest, writeImage, writeProfile } from "./profiles.ts";

const name = "devices";
const MiB = 2 ** 20;

/** The cells are on the nodes the wrong way round, so that nothing passes by taking the cell for the node. */
const profile = writeProfile.bind(undefined, {
  name,
  cpus: { boot: 2, model: "host", topology: { sockets: 2 } },
  memory: { size: "512M", max: "4G", slots: 4, prealloc: true },
  numa: {
    cells: [
      { cpus: "0", memory: "384M", hostNodes: "1", policy: "bind", distances: [10, 21] },
      { cpus: "1", memory: "128M", hostNodes: "0", policy: "bind", distances: [21, 10] },
    ],
  },
  pcie: {
    tree: [{ expander: "pxb1", numaNode: 1, ports: [{ rootPort: "near0" }, { rootPort: "near1" }] }],
    spareRootPorts: 2,
  },
  ...probeGuest,
});

type Report = ProbeReport & {
  readonly block: readonly { serial: string; sizeBytes: number; pci: string | null }[];
  readonly net: readonly { mac: string; pci: string | null }[];
};

const report = () => askGuest<Report>(name);
const nodesMib = async () => (await report()).nodes.map(({ memoryKiB }) => Math.round(memoryKiB / 1024));

/** What QEMU's mappings of guest memory have on each node, in MiB: the cells' and the DIMMs'. */
const placedMib = () => {
  const sums = { "bind:0": 0, "bind:1": 0 };
  for (const { policy, bytes } of boundMemory(pidOf(name))) {
    const node = policy === "bind:0" ? "N0" : "N1";
    assert.deepEqual(Object.keys(bytes), [node], `${policy} has pages on ${Object.keys(bytes)}`);
    sums[policy as keyof typeof sums] += (bytes[node] ?? 0) / MiB;
  }
  return sums;
};

async function everything(): Promise<object> {
  return { ...(await census(name)), placed: placedMib() };
}

/** The guest switches a slot on five seconds after it was told of a device. */
async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 40; attempt++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  throw new Error(`the guest never saw ${what}`);
}

let bare: object = {};
const guestTime = ["--timeout", "200"];
const remove = (kind: string, id: string) => qlaunchOk(kind, "remove", name, id, ...guestTime);
/** What the simulated host writes is in memory, and such a file system has no direct I/O. */
const addDisk = (image: string) =>
  qlaunchOk(
    ...["device", "add", name, "--numa-cell", "1"],
    ...[
      "--disk",
      JSON.stringify({ id: "data", file: image, format: "raw", cache: "writeback", serial: "lab-disk" }),
    ],
  );
const addNic = () =>
  qlaunchOk(
    ...["device", "add", name, "--numa-cell", "1"],
    ...["--nic", JSON.stringify({ id: "net1", user: { restrict: true }, mac: "52:54:00:00:00:42" })],
  );

export const liveDevices: Suite = {
  timeoutSeconds: 1200,
  async explain() {
    const log = `/run/qlaunch/${name}/qemu/serial0.log`;
    return [
      (await qlaunch("ops", name)).stdout,
      (await qlaunch("memory", "list", name)).stdout,
      (await qlaunch("device", "list", name)).stdout,
      (await qlaunch("logs", name)).stdout,
      existsSync(log) ? readFileSync(log, "utf8") : "no console",
    ].join("\n");
  },
  checks: [
    {
      name: "a guest with room for memory and devices boots with KVM",
      async run() {
        assert.equal(reserveHugepages(0, 70), 70);
        assert.equal(reserveHugepages(1, 70), 70);
        await qlaunchOk("up", profile());
        await report();
        assert.deepEqual(placedMib(), { "bind:0": 128, "bind:1": 384 });
        bare = await everything();
      },
    },
    {
      name: "a DIMM of each cell has all its pages on that cell's node",
      async run() {
        await qlaunchOk("memory", "add", name, "--size", "256M", "--cell", "0");
        assert.deepEqual(placedMib(), { "bind:0": 128, "bind:1": 384 + 256 });
        await qlaunchOk("memory", "add", name, "--size", "128M", "--cell", "1");
        assert.deepEqual(placedMib(), { "bind:0": 128 + 128, "bind:1": 384 + 256 });
      },
    },
    {
      name: "a DIMM of huge pages takes them from that node alone",
      async run() {
        await qlaunchOk("memory", "add", name, "--size", "128M", "--cell", "1", "--page-size", "2M");
        assert.deepEqual([freeHugepages(0), freeHugepages(1)], [70 - 64, 70]);
      },
    },
    {
      name: "a DIMM that its node has too few huge pages for is refused, and nothing changes",
      async run() {
        const before = await everything();
        const { exitCode, stderr } = await qlaunch(
          ...["memory", "add", name, "--size", "128M", "--cell", "1", "--page-size", "2M"],
        );
        assert.equal(exitCode, 1);
        assert.match(stderr, /HOST_HUGEPAGES_SHORT/);
        assert.deepEqual(await everything(), before);
      },
    },
    {
      name: "the guest has the new memory on the cells that it was given to",
      async run() {
        const before = await nodesMib();
        await askGuest<object>(name, "online");
        const after = await nodesMib();
        assert.deepEqual(
          after.map((mib, node) => mib - (before[node] ?? 0)),
          [256, 256],
        );
      },
    },
    {
      name: "the guest gives every DIMM back, and each page returns to its node",
      async run() {
        const devices = await qlaunchJson<{ id: string }[]>("memory", "list", name);
        assert.equal(devices.length, 3);
        for (const { id } of devices) await remove("memory", id);
        assert.deepEqual(await qlaunchJson("memory", "list", name), []);
        assert.deepEqual([freeHugepages(0), freeHugepages(1)], [70, 70]);
        assert.deepEqual(await everything(), bare);
      },
    },
    {
      name: "a disk and a NIC come up on the node of their cell",
      async run() {
        await addDisk(writeImage("data.img", 32 * MiB));
        await addNic();
        const { disk, nic, pci } = await until("the disk and the NIC", async () => {
          const seen = await report();
          const disk = seen.block.find(({ serial }) => serial === "lab-disk");
          const nic = seen.net.find(({ mac }) => mac === "52:54:00:00:00:42");
          return disk && nic ? { disk, nic, pci: seen.pci } : undefined;
        });
        assert.equal(disk.sizeBytes, 32 * MiB);
        const nodeOf = (address: string | null) => pci.find((device) => device.address === address)?.numaNode;
        assert.deepEqual([nodeOf(disk.pci), nodeOf(nic.pci)], [1, 1]);
      },
    },
    {
      name: "the guest gives the disk and the NIC back",
      async run() {
        await remove("device", "data");
        await remove("device", "net1");
        const seen = await report();
        assert.deepEqual([seen.block, seen.net], [[], []]);
        assert.deepEqual(await everything(), bare);
      },
    },
    {
      name: "down powers the guest down",
      async run() {
        const { how } = await qlaunchJson<{ how: string }>("down", name);
        assert.equal(how, "powered-down");
      },
    },
  ],
};
