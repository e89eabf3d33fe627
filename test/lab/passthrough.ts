import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { ProbeReport } from "../rig/probe.ts";
import type { Suite } from "./checks.ts";
import { askGuest, modprobe, pidOf, program, qlaunch, qlaunchJson, qlaunchOk } from "./host.ts";
import { bindings, driverOf, groupCount, type HostFunction, standIns } from "./pci.ts";
import { probeGuest, writeProfile } from "./profiles.ts";

const name = "board";
const cells = (memory: string) =>
  ["0", "1"].map((node) => ({ cpus: node, memory, hostNodes: node, policy: "bind" }));
const base = {
  name,
  cpus: { boot: 2, model: "host", topology: { sockets: 2 } },
  memory: { size: "384M" },
  numa: { cells: cells("192M") },
  ...probeGuest,
};

/** The whole board: the stand-ins say that they are what they stand for. */
const board = writeProfile.bind(undefined, {
  ...base,
  pcie: { mirror: true },
  passthrough: {
    devices: [
      { select: { class: "display" }, id: "gpu", identity: { vendor: "10de", device: "2335" }, clique: 3 },
      { select: { class: "ethernet" }, id: "nic" },
      { select: { class: "nvme" }, id: "nvme" },
      { select: { vendor: "1234", device: "11e8" }, id: "switch" },
    ],
  },
} as typeof base);

/** One NIC, and room on each cell for another device. */
const small = (vm: string, devices: object[], changes: object = {}) =>
  writeProfile({
    ...base,
    name: vm,
    pcie: {
      tree: [0, 1].map((cell) => ({
        expander: `pxb${cell}`,
        numaNode: cell,
        ports: [{ rootPort: `near${cell}` }, { rootPort: `far${cell}` }],
      })),
    },
    passthrough: { devices },
    ...changes,
  } as typeof base);

let all: readonly HostFunction[] = [];
let before: readonly string[] = [];
const addresses = () => all.map(({ address }) => address);
const ofClass = (kind: string) => all.filter((found) => found.class.startsWith(kind));

/** Every function has the driver and the override that it had, and nothing of a VM is left. */
function seeNothingLeft(vm: string): void {
  assert.deepEqual(bindings(addresses()), before);
  assert.ok(!existsSync(`/run/qlaunch/${vm}`), `the run directory of ${vm} is still there`);
  const processes = readdirSync("/proc").filter((pid) => /^\d+$/.test(pid));
  const left = processes.filter((pid) => {
    const words = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, "utf8") : "";
    return words.includes("-pidfile") && words.includes(`/run/qlaunch/${vm}/`);
  });
  assert.deepEqual(left, [], "processes that are left");
}

/** Kills a command as soon as it tells that a step has begun. @returns whether it came so far */
function killAtStep(words: readonly string[], step: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words, "--json"], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    let killed = false;
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (chunk: string) => {
      said += chunk;
      if (killed || !said.includes(`"type":"step-started","step":"${step}"`)) return;
      killed = true;
      child.kill("SIGKILL");
    });
    child.once("error", reject);
    child.once("close", () => resolve(killed));
  });
}

/** The steps of a start in their order, as it tells them. */
async function stepsOf(profile: string, vm: string): Promise<string[]> {
  const lines = (await qlaunchOk("up", profile, "--json")).trimEnd().split("\n");
  await qlaunchOk("down", vm, "--force");
  return lines
    .map((line) => JSON.parse(line) as { type: string; step: string })
    .filter(({ type }) => type === "step-started")
    .map(({ step }) => step);
}

type Pci = ProbeReport["pci"];
/** The ports above a device of the guest, its root bus last. */
function portsAbove(pci: Pci, address: string): string[] {
  const parent = pci.find((device) => device.address === address)?.parent ?? "root";
  return parent === "root" ? [address.slice(0, 7)] : [parent, ...portsAbove(pci, parent)];
}

let guest: ProbeReport | undefined;
interface Listed {
  readonly id: string;
  readonly hostAddress?: string;
}

export const passthrough: Suite = {
  host: "lab-hgx",
  timeoutSeconds: 1200,
  async explain() {
    const log = `/run/qlaunch/${name}/qemu/serial0.log`;
    return [
      (await qlaunch("ps")).stdout,
      (await qlaunch("vfio", "list")).stdout,
      (await qlaunch("logs", name)).stdout,
      existsSync(log) ? readFileSync(log, "utf8") : "no console",
    ].join("\n");
  },
  checks: [
    {
      name: "the host is shaped like the board: 21 stand-ins below nine switches, in groups of their own",
      async run() {
        await modprobe("e1000e", "nvme", "vfio-pci");
        all = standIns();
        before = bindings(addresses());
        const kinds = ["0380", "0200", "0108", "00ff"].map((kind) => ofClass(kind).length);
        assert.deepEqual(kinds, [8, 8, 1, 4]);
        assert.equal(new Set(all.map(({ group }) => group)).size, 21);
        assert.ok(groupCount() >= 44, `${groupCount()} groups`);
        assert.equal(new Set(all.map(({ above }) => above[2])).size, 9);
        assert.deepEqual(
          [0, 1].map((node) => all.filter((found) => found.node === node).length),
          [9, 12],
        );
      },
    },
    {
      name: "a guest that gets all 21 starts with KVM",
      async run() {
        await qlaunchOk("up", board());
        assert.deepEqual(new Set(addresses().map(driverOf)), new Set(["vfio-pci"]));
      },
    },
    {
      name: "QEMU may lock what it has to",
      async run() {
        const limits = readFileSync(`/proc/${pidOf(name)}/limits`, "utf8");
        const status = readFileSync(`/proc/${pidOf(name)}/status`, "utf8");
        const soft = /^Max locked memory\s+(\S+)/m.exec(limits)?.[1];
        const privileged = (BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1]}`) >> 14n) & 1n;
        assert.ok(soft === "unlimited" || Number(soft) >= 384 * 2 ** 20 || privileged === 1n, `${soft}`);
        // What devices reach counts as locked. While the firmware starts, QEMU takes memory from them and gives it back.
        const lockedKib = () =>
          Number(/^VmLck:\s*(\d+)/m.exec(readFileSync(`/proc/${pidOf(name)}/status`, "utf8"))?.[1] ?? 0);
        for (let attempt = 0; attempt < 120 && lockedKib() < 384 * 1024; attempt++) {
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
        assert.ok(lockedKib() >= 384 * 1024, `${lockedKib()} KiB are locked`);
      },
    },
    {
      name: "the guest sees each below the switch and on the node that it has on the host",
      async run() {
        const seen = await askGuest<ProbeReport>(name);
        guest = seen;
        const { pci } = seen;
        const listed = await qlaunchJson<{ devices: Listed[] }>("plan", board());
        const places = new Map<string, { host: HostFunction; above: string[]; node: number }>();
        const ids = ["10de:2335", "8086:10d3", "1b36:0010", "1234:11e8"];
        for (const id of ids) {
          // The guest numbers them in the host's order, node by node and switch by switch.
          const mine = pci.filter((device) => `${device.vendor.slice(2)}:${device.device.slice(2)}` === id);
          const theirs = all.filter((found) =>
            id === "10de:2335" ? found.class === "038000" : found.ids === id,
          );
          assert.equal(mine.length, theirs.length, id);
          const order = [...theirs].sort((a, b) => a.address.localeCompare(b.address));
          for (const [index, device] of [...mine]
            .sort((a, b) => a.address.localeCompare(b.address))
            .entries()) {
            const host = order[index];
            if (host === undefined) continue;
            places.set(host.address, { host, above: portsAbove(pci, device.address), node: device.numaNode });
          }
        }
        assert.equal(places.size, 21);
        assert.equal(listed.devices.filter(({ hostAddress }) => hostAddress !== undefined).length, 21);
        for (const one of places.values()) {
          assert.equal(one.node, one.host.node, one.host.address);
          for (const other of places.values()) {
            const onHost = one.host.above[2] === other.host.above[2];
            const inGuest = one.above[1] === other.above[1];
            assert.equal(inGuest, onHost, `${one.host.address} and ${other.host.address} below one switch`);
          }
        }
      },
    },
    {
      name: "verify says so too",
      async run() {
        const said = await qlaunchOk("verify", name);
        assert.match(said, /gpu7/);
      },
    },
    {
      name: "each GPU carries its clique",
      async run() {
        const gpus = (guest?.pci ?? []).filter(({ vendor }) => vendor === "0x10de");
        for (const { address } of gpus) {
          const { output } = await askGuest<{ output: string }>(
            name,
            `run hexdump -s 200 -n 8 -e '8/1 "%02x "' /sys/bus/pci/devices/${address}/config`,
          );
          // Vendor capability of 8 bytes, "P2P", the clique's number in the upper bits of the last but one.
          assert.match(output, /^09 .. 08 50 32 50 18/, `${address}: ${output}`);
        }
        assert.equal(gpus.length, 8);
      },
    },
    {
      name: "a second VM that wants one of them is refused, and changes nothing",
      async run() {
        const taken = ofClass("0200")[0]?.address ?? "";
        const { exitCode, stderr } = await qlaunch("up", small("second", [{ address: taken }]));
        assert.equal(exitCode, 1);
        assert.match(stderr, /HOST_DEVICE_BUSY/);
        assert.match(stderr, new RegExp(name));
        assert.equal(driverOf(taken), "vfio-pci");
        assert.ok(!existsSync("/run/qlaunch/second"));
      },
    },
    {
      name: "unbind of a device that a VM has is refused",
      async run() {
        const taken = ofClass("0200")[0]?.address ?? "";
        const { exitCode, stderr } = await qlaunch("vfio", "unbind", taken);
        assert.equal(exitCode, 1);
        assert.match(stderr, /HOST_DEVICE_BUSY/);
        assert.equal(driverOf(taken), "vfio-pci");
      },
    },
    {
      name: "down gives all 21 back to what they had",
      async run() {
        await qlaunchOk("down", name);
        seeNothingLeft(name);
      },
    },
    {
      name: "a QEMU that is killed leaves devices that the next command gives back",
      async run() {
        const nic = ofClass("0200")[0]?.address ?? "";
        await qlaunchOk("up", small("killed", [{ address: nic }]), "--paused");
        process.kill(pidOf("killed"), "SIGKILL");
        assert.match(await qlaunchOk("ps"), /ended/);
        await qlaunchOk("down", "killed");
        seeNothingLeft("killed");
      },
    },
    {
      name: "a QEMU that fails after binding leaves the host as it was",
      async run() {
        const devices = ofClass("0200").map(({ address }) => ({ address }));
        const { exitCode, stderr } = await qlaunch(
          "up",
          small("failing", devices, { extraArgs: ["-device", "no-such-device"] }),
        );
        assert.equal(exitCode, 1);
        assert.match(stderr, /VM_START_FAILED|VM_DIED/);
        seeNothingLeft("failing");
      },
    },
    {
      name: "a command that is killed at any step of a start leaves nothing after ps and down",
      async run() {
        const devices = [...ofClass("0200").slice(0, 1), ...ofClass("0108"), ...ofClass("00ff").slice(0, 1)];
        const profile = small(
          "cut",
          devices.map(({ address }) => ({ address })),
        );
        for (const step of await stepsOf(profile, "cut")) {
          assert.ok(await killAtStep(["up", profile], step), `the start never came to "${step}"`);
          await qlaunchOk("ps");
          await qlaunch("down", "cut", "--force");
          seeNothingLeft("cut");
        }
      },
    },
    {
      name: "a device whose group has members that stay with the host is refused, and each is named",
      async run() {
        await modprobe("ahci", "i2c-i801");
        const sata = "0000:00:1f.2";
        const driver = driverOf(sata);
        const { exitCode, stderr } = await qlaunch("up", small("foreign", [{ address: sata }]));
        assert.equal(exitCode, 1);
        assert.match(stderr, /HOST_IOMMU_GROUP/);
        assert.match(stderr, /0000:00:1f\.3 \(?.*i801_smbus/s);
        assert.equal(driverOf(sata), driver);
        seeNothingLeft("foreign");
      },
    },
    {
      name: "a NIC comes to a running guest on the node that it has, and its driver gets it back",
      async run() {
        const nic = ofClass("0200").find(({ node }) => node === 1)?.address ?? "";
        await qlaunchOk("up", small("live", []));
        await askGuest("live");
        await qlaunchOk("device", "add", "live", "--vfio", nic, "--id", "late");
        assert.equal(driverOf(nic), "vfio-pci");
        let seen: Pci[number] | undefined;
        for (let attempt = 0; attempt < 40 && seen === undefined; attempt++) {
          const { pci } = await askGuest<ProbeReport>("live");
          seen = pci.find(({ device }) => device === "0x10d3");
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
        assert.equal(seen?.numaNode, 1);
        await qlaunchOk("device", "remove", "live", "late", "--timeout", "200");
        assert.deepEqual(bindings(addresses()), before);
      },
    },
    {
      name: "a command that is killed while it gives a device is finished or undone by the next one",
      async run() {
        const nic = ofClass("0200").find(({ node }) => node === 1)?.address ?? "";
        assert.ok(await killAtStep(["device", "add", "live", "--vfio", nic, "--id", "late"], "bind devices"));
        await qlaunchOk("ops", "resume", "live", "--timeout", "200");
        const devices = await qlaunchJson<{ id: string }[]>("device", "list", "live");
        const isThere = devices.some(({ id }) => id === "late");
        assert.equal(driverOf(nic), isThere ? "vfio-pci" : "e1000e");
        if (isThere) await qlaunchOk("device", "remove", "live", "late", "--timeout", "200");
        assert.deepEqual(bindings(addresses()), before);
      },
    },
    {
      name: "a device that is plugged in when the VM ends goes back as well",
      async run() {
        const nvme = ofClass("0108")[0]?.address ?? "";
        await qlaunchOk("device", "add", "live", "--vfio", nvme);
        assert.equal(driverOf(nvme), "vfio-pci");
        await qlaunchOk("down", "live", "--force");
        seeNothingLeft("live");
      },
    },
    {
      name: "vfio bind and unbind move a function and bring it back",
      async run() {
        const nic = ofClass("0200")[0]?.address ?? "";
        const driver = driverOf(nic);
        await qlaunchOk("vfio", "bind", nic);
        assert.equal(driverOf(nic), "vfio-pci");
        await qlaunchOk("vfio", "unbind", nic);
        assert.equal(driverOf(nic), driver);
        assert.deepEqual(bindings(addresses()), before);
      },
    },
  ],
};
