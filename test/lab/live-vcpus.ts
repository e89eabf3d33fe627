import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import type { Operation } from "../../src/hotplug/operation.ts";
import type { ProbeReport } from "../rig/probe.ts";
import type { Suite } from "./checks.ts";
import { askGuest, kvmThreads, pidOf, qlaunch, qlaunchJson, qlaunchOk, threadsOf } from "./host.ts";
import { probeGuest, writeProfile } from "./profiles.ts";

const name = "live";
const cell = (id: number, hostNode: string) => ({
  cpus: `${id * 4}-${id * 4 + 3}`,
  memory: "128M",
  hostNodes: hostNode,
  policy: "bind",
});

/** The shape of the four-socket guest: sixteen vCPUs at most, two cells on each node of the host. */
const live = writeProfile.bind(undefined, {
  name,
  cpus: { boot: 4, max: 16, model: "host", topology: { sockets: 4, cores: 2, threads: 2 } },
  memory: { size: "512M" },
  numa: { cells: [cell(0, "0"), cell(1, "0"), cell(2, "1"), cell(3, "1")] },
  pinning: {
    vcpus: { "0-3": "0", "4-7": "1", "8-11": "2", "12-15": "3" },
    emulator: "0-1",
    overcommit: true,
  },
  ...probeGuest,
});

const hostCpuOf = (vcpu: number) => Math.floor(vcpu / 4);
const onTheirCpus = (vcpus: readonly number[]) => vcpus.map((vcpu) => `${vcpu} on ${hostCpuOf(vcpu)}`);
const all = Array.from({ length: 16 }, (_, vcpu) => vcpu);
const half = [0, 1, 4, 5, 8, 9, 12, 13];

/** The guest's CPUs that run, by node. */
const nodesOf = async () => (await askGuest<ProbeReport>(name)).nodes.map(({ cpus }) => cpus);
const online = () => askGuest<object>(name, "online");

/** KVM's threads end a moment after QEMU's list has lost them. */
async function seeThreads(vcpus: readonly number[]): Promise<void> {
  const wanted = onTheirCpus(vcpus);
  for (let attempt = 0; attempt < 50 && kvmThreads(pidOf(name)).length !== wanted.length; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.deepEqual(kvmThreads(pidOf(name)), wanted);
}

export const liveVcpus: Suite = {
  timeoutSeconds: 900,
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
        await qlaunchOk("up", live());
        assert.deepEqual(await nodesOf(), ["0-1", "2-3", "", ""]);
      },
    },
    {
      name: "4 to 16: each new thread is a KVM thread on its planned host CPU",
      async run() {
        await qlaunchOk("setvcpus", name, "16");
        await seeThreads(all);
        await online();
        assert.deepEqual(await nodesOf(), ["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
      },
    },
    {
      name: "16 to 8: the guest gives up the second core of each cell",
      async run() {
        const { vcpus } = await qlaunchJson<{ vcpus: number[] }>("setvcpus", name, "8", "--timeout", "200");
        assert.deepEqual(vcpus, half);
        await seeThreads(half);
        assert.deepEqual(await nodesOf(), ["0-1", "2-3", "8-9", "12-13"]);
      },
    },
    {
      name: "8 to 16 again: QEMU with KVM makes as many as it is asked for",
      async run() {
        await qlaunchOk("setvcpus", name, "16");
        await seeThreads(all);
        await online();
        assert.deepEqual(await nodesOf(), ["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
      },
    },
    {
      name: "more rounds leave no thread behind",
      async run() {
        for (let round = 0; round < 2; round++) {
          await qlaunchOk("setvcpus", name, "8", "--timeout", "200");
          await qlaunchOk("setvcpus", name, "16");
          await online();
        }
        await seeThreads(all);
        const named = [...threadsOf(pidOf(name)).values()].filter((thread) => thread.name.startsWith("CPU "));
        assert.equal(named.length, 16);
        const operations = await qlaunchJson<Operation[]>("ops", name);
        assert.deepEqual(new Set(operations.map(({ state }) => state)), new Set(["done"]));
      },
    },
    {
      name: "ps and vcpus say the same",
      async run() {
        const [vm] = await qlaunchJson<{ vcpus: number }[]>("ps");
        assert.equal(vm?.vcpus, 16);
        const threads = await qlaunchJson<{ vcpu: number; allowedCpus: number[] }[]>("vcpus", name);
        assert.deepEqual(
          threads.map(({ vcpu, allowedCpus }) => `${vcpu} on ${allowedCpus}`),
          onTheirCpus(all),
        );
        await qlaunchOk("down", name, "--force");
      },
    },
  ],
};
