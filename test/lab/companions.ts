import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { raiseLockLimit } from "../../src/hotplug/memory-lock.ts";
import { realSystem } from "../../src/system/index.ts";
import type { ProbeReport } from "../rig/probe.ts";
import type { Suite } from "./checks.ts";
import {
  askGuest,
  boundMemory,
  execute,
  kvmThreads,
  modprobe,
  pidOf,
  qlaunch,
  qlaunchJson,
  qlaunchOk,
} from "./host.ts";
import { bindings, driverOf, type HostFunction, standIns } from "./pci.ts";
import { probeGuest, writeProfile } from "./profiles.ts";

/** A guest with what is given of passthrough, on one cell of node 1. */
const guest = (name: string, passthrough: object) =>
  writeProfile({
    name,
    cpus: { boot: 1, model: "host" },
    memory: { size: "192M" },
    numa: { cells: [{ cpus: "0", memory: "192M", hostNodes: "1", policy: "bind" }] },
    passthrough,
    ...probeGuest,
  } as { name: string });

let all: readonly HostFunction[] = [];
let before: readonly string[] = [];
/** A GPU, a NIC that e1000e has, and a function that no driver has. */
const card = (): HostFunction[] => all.filter(({ address }) => address.slice(0, -1) === gpu().slice(0, -1));
const addressOf = (kind: string) => all.find((found) => found.class.startsWith(kind))?.address ?? "";
const gpu = () => addressOf("0380");
const nic = () =>
  all.find(({ class: kind, address }) => kind.startsWith("0200") && address.endsWith(".0"))?.address ?? "";
const gpuNic = () => `${gpu().slice(0, -1)}1`;
const seeUnchanged = () => assert.deepEqual(bindings(all.map(({ address }) => address)), before);

/** What the guest has of the card, by its own addresses. */
async function cardInGuest(name: string): Promise<ProbeReport["pci"]> {
  const { pci } = await askGuest<ProbeReport>(name);
  return pci.filter(({ device }) => device === "0x1111" || device === "0x10d3");
}

/** Guests that say how large they are, and no more; the NIC or the disk of the host goes with two of them. */
const rivals = ["nic", "disk", "plain"] as const;
const rival = (name: (typeof rivals)[number]) =>
  writeProfile({
    name,
    cpus: { boot: 1, model: "host" },
    memory: { size: "128M", prealloc: true },
    numa: { partition: { mode: "node" } },
    passthrough: {
      devices: name === "plain" ? [] : [{ address: name === "nic" ? nic() : addressOf("0108") }],
    },
  } as { name: string });

export const companions: Suite = {
  timeoutSeconds: 600,
  async explain() {
    const log = "/run/qlaunch/whole/qemu/serial0.log";
    return [
      (await qlaunch("ps")).stdout,
      (await qlaunch("vfio", "list")).stdout,
      existsSync(log) ? readFileSync(log, "utf8") : "no console",
    ].join("\n");
  },
  checks: [
    {
      name: "the host has a card of three functions in one IOMMU group",
      async run() {
        await modprobe("e1000e", "nvme", "vfio-pci");
        all = standIns();
        before = bindings(all.map(({ address }) => address));
        assert.deepEqual(
          card().map(({ address }) => address.slice(-1)),
          ["0", "1", "2"],
        );
        assert.equal(new Set(card().map(({ group }) => group)).size, 1);
        assert.deepEqual(
          [...card(), ...all.filter(({ address }) => address === nic())].map(
            ({ driver }) => driver ?? "none",
          ),
          ["none", "e1000e", "none", "e1000e"],
        );
      },
    },
    {
      name: "root takes away the limit on what a QEMU without rights may lock",
      async run() {
        const words = [
          "--memlock=65536:65536",
          "setpriv",
          "--inh-caps=-all",
          "--bounding-set=-all",
          "sleep",
          "60",
        ];
        const child = spawn("prlimit", words, { stdio: "ignore" });
        const { pid = 0 } = child;
        const comm = () => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
        for (let attempt = 0; attempt < 100 && comm() !== "sleep"; attempt++) {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
        await raiseLockLimit({ system: realSystem, pid, name: "vm" }, 2 ** 30);
        assert.match(
          readFileSync(`/proc/${pid}/limits`, "utf8"),
          /^Max locked memory +unlimited +unlimited/m,
        );
        child.kill();
      },
    },
    {
      name: "vfio list shows each function with its group and driver",
      async run() {
        const functions = await qlaunchJson<{ address: string; group?: number; driver?: string }[]>(
          "vfio",
          "list",
        );
        const listed = JSON.stringify(functions);
        for (const { address } of all) assert.ok(listed.includes(address), `${address} in ${listed}`);
      },
    },
    {
      name: "the NIC of the default route is not given away",
      async run() {
        const name = (await execute("ls", [`/sys/bus/pci/devices/${nic()}/net`])).stdout.trim();
        await execute("ip", ["link", "set", name, "up"]);
        await execute("ip", ["addr", "add", "192.0.2.1/24", "dev", name]);
        await execute("ip", ["route", "add", "default", "via", "192.0.2.2"]);
        const { exitCode, stderr } = await qlaunch("up", guest("route", { devices: [{ address: nic() }] }));
        assert.equal(exitCode, 1);
        assert.match(stderr, /HOST_DEVICE_NEEDED .*the default route/s);
        const byHand = await qlaunch("vfio", "bind", nic());
        assert.equal(byHand.exitCode, 1);
        assert.match(byHand.stderr, /HOST_DEVICE_NEEDED/);
        await execute("ip", ["route", "del", "default"]);
        seeUnchanged();
      },
    },
    {
      name: "group strict: a card that the host keeps a part of is refused, and each member is named",
      async run() {
        const { exitCode, stderr } = await qlaunch("up", guest("strict", { devices: [{ address: gpu() }] }));
        assert.equal(exitCode, 1);
        assert.match(stderr, /HOST_IOMMU_GROUP/);
        assert.ok(stderr.includes(`${gpuNic()} (e1000e)`), stderr);
        assert.match(stderr, /"group": "whole"/);
        assert.ok(!existsSync("/run/qlaunch/strict"));
        seeUnchanged();
      },
    },
    {
      name: "group whole: the card's functions are functions of one device in the guest",
      async run() {
        const profile = guest("whole", { group: "whole", devices: [{ address: gpu() }] });
        await qlaunchOk("up", profile);
        assert.deepEqual([gpu(), gpuNic()].map(driverOf), ["vfio-pci", "vfio-pci"]);
        const seen = await cardInGuest("whole");
        assert.deepEqual(
          seen.map(({ device }) => device),
          ["0x1111", "0x10d3"],
        );
        assert.equal(new Set(seen.map(({ address }) => address.slice(0, -2))).size, 1);
        assert.deepEqual([...new Set(seen.map(({ numaNode }) => numaNode))], [0]);
        await qlaunchOk("down", "whole", "--force");
        seeUnchanged();
      },
    },
    {
      name: "attach pci: companions sit behind one conventional bridge, and cost no port",
      async run() {
        const profile = guest("bridge", { group: "whole", attach: "pci", devices: [{ address: gpu() }] });
        await qlaunchOk("up", profile);
        const seen = await cardInGuest("bridge");
        const display = seen.find(({ device }) => device === "0x1111");
        const companion = seen.find(({ device }) => device === "0x10d3");
        const { pci } = await askGuest<ProbeReport>("bridge");
        const bridge = pci.find(({ address }) => address === companion?.parent);
        assert.equal(bridge?.class, "0x060400");
        assert.notEqual(companion?.parent, display?.parent);
        await qlaunchOk("down", "bridge", "--force");
        seeUnchanged();
      },
    },
    {
      name: "guests that start at once have CPUs, devices and memory of their own, where their devices are",
      async run() {
        await Promise.all(rivals.map((name) => qlaunchOk("up", rival(name), "--paused")));
        const cpus = rivals.flatMap((name) =>
          kvmThreads(pidOf(name)).map((thread) => thread.split(" on ")[1]),
        );
        assert.equal(new Set(cpus).size, rivals.length, `on CPUs ${cpus}`);
        for (const [name, address] of [
          ["nic", nic()],
          ["disk", addressOf("0108")],
        ] as const) {
          const node = readFileSync(`/sys/bus/pci/devices/${address}/numa_node`, "utf8").trim();
          assert.deepEqual(boundMemory(pidOf(name)), [
            { policy: `bind:${node}`, bytes: { [`N${node}`]: 128 * 2 ** 20 } },
          ]);
          assert.equal(driverOf(address), "vfio-pci");
        }
      },
    },
    {
      name: "a killed QEMU's share is free again, and its device when it is taken down",
      async run() {
        const [before_] = kvmThreads(pidOf("nic"));
        process.kill(pidOf("nic"), "SIGKILL");
        const again = writeProfile({
          name: "again",
          cpus: { boot: 1, model: "host" },
          memory: { size: "128M" },
          numa: {
            partition: {
              mode: "node",
              hostNodes: readFileSync(`/sys/bus/pci/devices/${nic()}/numa_node`, "utf8").trim(),
            },
          },
        } as { name: string });
        await qlaunchOk("up", again, "--paused");
        assert.deepEqual(kvmThreads(pidOf("again")), [before_]);
        for (const name of ["nic", "disk", "plain", "again"]) await qlaunchOk("down", name, "--force");
        seeUnchanged();
      },
    },
  ],
};
