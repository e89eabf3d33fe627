import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Drift } from "../../src/hotplug/index.ts";
import { realSystem } from "../../src/system/index.ts";
import { parseIdSet } from "../../src/units/index.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { canRemoveVcpus, changedProfile, type LiveGuest, liveGuest } from "../rig/live.ts";
import { bootProbe } from "../rig/probe.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/live-vcpus.json", import.meta.url).pathname;
const name = "live-vcpus";

/** Connects and leaves. @returns false when there was no room */
function visit(socket: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const client = connect(socket, () => resolve(client.destroy().destroyed));
    client.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EAGAIN" ? resolve(false) : reject(error),
    );
  });
}

const programs = await Promise.all(
  qemuPrograms.map(async (qemu) => ({ qemu, removable: await canRemoveVcpus(qemu) })),
);

/** The guest is the judge: it says which CPUs run on which of its nodes. */
describe.each(programs)("vCPUs come and go on $qemu", ({ qemu, removable }) => {
  let cli: Cli;
  let guest: LiveGuest;

  beforeAll(async () => {
    cli = openCli(qemu);
    guest = liveGuest(cli, name);
    await bootProbe(cli, profile, name);
  });
  afterAll(() => cli.close());

  const refuse = async (...arguments_: string[]) => {
    const before = { vcpus: await guest.vcpus(), operations: await guest.operations() };
    const { exitCode, stdout } = await cli.run(...arguments_, "--json");
    expect({ vcpus: await guest.vcpus(), operations: await guest.operations() }).toEqual(before);
    const codes = JSON.parse(stdout).diagnostics.map(({ code }: { code: string }) => code);
    return { exitCode, codes };
  };

  it.each([
    [["65"], 1, ["LIVE_VCPU_COUNT"]],
    [["0"], 1, ["LIVE_VCPU_COUNT"]],
    [["many"], 2, ["USAGE"]],
    [[], 2, ["USAGE"]],
    [["--vcpu", "1-3"], 1, ["LIVE_VCPU_FIXED"]],
    [["--vcpu", "0,64"], 2, ["LIVE_VCPU_CHOICE"]],
    [["3", "--vcpu", "0-3"], 2, ["LIVE_VCPU_CHOICE"]],
    [["--vcpu", "x"], 2, ["USAGE"]],
  ])("refuses %j, and changes nothing", async (wish, exitCode, codes) => {
    expect(await refuse("setvcpus", name, ...wish)).toEqual({ exitCode, codes });
  });

  it("goes from 4 to 16, level over the cells", async () => {
    expect(await guest.nodes()).toEqual(["0-1", "2-3", "", ""]);
    const said = await cli.ok("setvcpus", name, "16");
    expect(said).toContain("live-vcpus has 16 vCPUs: 0-3,16-19,32-35,48-51");
    expect(said).toContain("the guest brings new vCPUs online itself");
    await guest.online();
    // The guest numbers CPUs as they come: 4 and 5 are vCPUs 2 and 3.
    expect(await guest.nodes()).toEqual(["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
    expect(await guest.count()).toBe(16);
  });

  it("has every thread on its planned host CPUs", async () => {
    const threads = await guest.threads();
    expect(threads.map(({ vcpu, allowedCpus }) => `${vcpu}:${allowedCpus}`)).toEqual([
      ...[0, 1, 2, 3].map((vcpu) => `${vcpu}:0`),
      ...[16, 17, 18, 19].map((vcpu) => `${vcpu}:1`),
      ...[32, 33, 34, 35].map((vcpu) => `${vcpu}:0,1`),
      // Not in the plan's pins: they run where others of that kind do, not on the emulator's CPU.
      ...[48, 49, 50, 51].map((vcpu) => `${vcpu}:0,1`),
    ]);
  });

  it("lists what it did, and what differs from the plan", async () => {
    expect(await guest.operations()).toMatchObject([
      { id: "1", kind: "setvcpus", state: "done", worker: null, problem: null },
    ]);
    const drift: Drift[] = JSON.parse(await cli.ok("info", name, "--drift", "--json"));
    expect(drift.map(({ what }) => what)).toEqual(
      [2, 3, 18, 19, 32, 33, 34, 35, 48, 49, 50, 51].map((vcpu) => `vCPU ${vcpu}`),
    );
    expect(new Set(drift.map(({ operation }) => operation))).toEqual(new Set(["1"]));
  });

  it("does nothing when nothing is to do", async () => {
    expect(await cli.ok("setvcpus", name, "16")).toContain("it had them already");
    expect(await guest.operations()).toHaveLength(1);
  });

  it("lets one command at a time at it", async () => {
    const lock = join(cli.root, `.${name}.lock`);
    const held = await realSystem.locks.take(lock, "qlaunch setvcpus live-vcpus (process 1)");
    const { exitCode, stdout } = await cli.run("setvcpus", name, "17", "--json");
    if ("release" in held) held.release();
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout).diagnostics).toMatchObject([
      { code: "VM_BUSY", found: "qlaunch setvcpus live-vcpus (process 1) works on live-vcpus" },
    ]);
    expect(await guest.count()).toBe(16);
  });

  it("serves two commands at once one after the other", async () => {
    const results = await Promise.all([cli.run("setvcpus", name, "17"), cli.run("setvcpus", name, "18")]);
    expect(results.map(({ exitCode }) => exitCode)).toContain(0);
    expect(["17", "18"]).toContain(String(await guest.count()));
    await guest.threads();
  });

  it("waits while those that left at once fill the queue of the monitor", async () => {
    const { pid } = JSON.parse(readFileSync(join(cli.root, name, "vm.json"), "utf8")).qemu;
    const count = await guest.count();
    process.kill(pid, "SIGSTOP");
    try {
      while (await visit(join(cli.root, name, "qemu/qmp.sock")));
      const command = cli.run("setvcpus", name, String(count));
      await sleep(500);
      process.kill(pid, "SIGCONT");
      expect(await command).toMatchObject({ exitCode: 0 });
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });

  // QEMU 7.2 without KVM crashes when a vCPU has left; with KVM it does not, as in the simulated host.
  const whereVcpusMayLeave = removable ? it : () => {};

  whereVcpusMayLeave("goes down to 8 and up again", async () => {
    await guest.online();
    const { vcpus } = JSON.parse((await cli.ok("setvcpus", name, "8", "--json")).split("\n").at(-1) ?? "");
    expect(vcpus).toEqual([0, 1, 16, 17, 32, 33, 48, 49]);
    expect(await guest.nodes()).toEqual(["0-1", "2-3", "8-9", "12-13"]);
    expect(await guest.count()).toBe(8);
    await cli.ok("setvcpus", name, "16");
    await guest.online();
    expect(await guest.nodes()).toEqual(["0-1,4-5", "2-3,6-7", "8-11", "12-15"]);
    expect((await guest.threads()).map(({ vcpu }) => vcpu)).toEqual([
      ...[0, 1, 2, 3, 16, 17, 18, 19],
      ...[32, 33, 34, 35, 48, 49, 50, 51],
    ]);
  });

  whereVcpusMayLeave("takes the named ones, in one go", async () => {
    await cli.ok("setvcpus", name, "--vcpu", "0-3,16-19,32-33,52-53");
    expect(await guest.vcpus()).toBe("0-3,16-19,32-33,52-53");
    await cli.ok("setvcpus", name, "10", "--spread", "tail");
    expect(await guest.vcpus()).toBe("0-3,16-19,32-33");
  });

  whereVcpusMayLeave(
    "keeps what the guest would have to give up with --no-wait, and finishes it later",
    async () => {
      const said = await cli.ok("setvcpus", name, "8", "--no-wait");
      if (said.includes("is accepted")) {
        await cli.ok("ops", "resume", name);
        expect((await guest.operations()).at(-1)).toMatchObject({ state: "done" });
      }
      expect(await guest.count()).toBe(8);
    },
  );

  whereVcpusMayLeave("is told that QEMU cannot make more vCPUs without KVM, before QEMU aborts", async () => {
    // KVM has no such limit.
    if (await hasKvm(cli)) return;
    expect(await refuse("setvcpus", name, "64")).toEqual({ exitCode: 1, codes: ["LIVE_VCPU_TCG"] });
  });

  it("keeps its vCPUs through a reset", { retry: 3 }, async () => {
    // QEMU without KVM now and then dies of a reset (iotlb_to_section): the next try has a new one.
    const before = await guest.vcpus().catch(async () => {
      console.warn(`${name} did not live through its reset; it is started once more`);
      await bootProbe(cli, profile, name);
      await cli.ok("setvcpus", name, "8");
      return guest.vcpus();
    });
    await cli.ok("reset", name);
    // Without KVM a boot now and then stands still.
    const nodes = await guest.nodes().catch(async () => {
      console.warn(`${name} did not report after its reset; it is reset once more`);
      await cli.ok("reset", name);
      return guest.nodes();
    });
    const running = nodes.flatMap((cpus) => parseIdSet(cpus) ?? []);
    expect(running).toHaveLength(parseIdSet(before)?.length ?? 0);
    expect(await guest.vcpus()).toBe(before);
    await guest.threads();
  });
});

describe.each(qemuPrograms)("a guest that cannot answer, on %s", (qemu) => {
  let cli: Cli;
  beforeAll(() => {
    cli = openCli(qemu);
  });
  afterAll(() => cli.close());

  const codeOf = async (...arguments_: string[]) => {
    const { exitCode, stdout } = await cli.run(...arguments_, "--json");
    return { exitCode, code: /"code": "(\w+)"/.exec(stdout)?.[1] };
  };

  /** As another program may do it; nobody's operation. */
  const changeBehindItsBack = async (vm: string, threadId: number): Promise<Drift[]> => {
    await execa("taskset", ["--pid", "--cpu-list", "1", String(threadId)]);
    await cli.ok("qmp", vm, "object-add", '{"qom-type": "rng-random", "id": "r9"}');
    const rng = { driver: "virtio-rng-pci", id: "by-hand", rng: "r9", bus: "spare0" };
    await cli.ok("qmp", vm, "device_add", JSON.stringify(rng));
    return JSON.parse(await cli.ok("info", vm, "--drift", "--json"));
  };

  it("gives nothing up before it has booted", async () => {
    await cli.ok("up", changedProfile(cli, profile, { name: "young", kernel: undefined }));
    const { exitCode, stdout } = await cli.run("setvcpus", "young", "2", "--json");
    expect(exitCode).toBe(1);
    expect(stdout).toContain("LIVE_GUEST_NOT_READY");
    expect(stdout).toContain("device unplug request for not supported device type");
    const guest = liveGuest(cli, "young");
    expect(await guest.vcpus()).toBe("0-1,16-17");
    expect((await guest.operations()).map(({ state }) => state)).toEqual(["failed"]);
  });

  // QEMU 10 without KVM falls now and then while a guest of many vCPUs boots (iotlb_to_section).
  it("gives nothing up while it is paused, and can be given more", { retry: 3 }, async () => {
    await cli.ok("up", changedProfile(cli, profile, { name: "paused" }), "--paused");
    expect(await codeOf("setvcpus", "paused", "2")).toEqual({ exitCode: 1, code: "VM_STATE" });
    await cli.ok("setvcpus", "paused", "8");
    const guest = liveGuest(cli, "paused");
    expect(await guest.vcpus()).toBe("0-1,16-17,32-33,48-49");
    const [first] = await guest.threads();
    const drift = await changeBehindItsBack("paused", first?.threadId ?? 0);
    expect(drift).toContainEqual({
      what: `vCPU 0, thread ${first?.threadId}`,
      planned: "host CPU 0",
      found: "host CPU 1",
    });
    const byHand = { what: "device by-hand", planned: "absent at the start", found: "virtio-rng-pci" };
    expect(drift).toContainEqual(byHand);
    await cli.ok("resume", "paused");
    // They are there when it boots, and nobody has to bring them online.
    expect(await guest.nodes()).toEqual(["0-1", "2-3", "4-5", "6-7"]);
    await cli.ok("down", "paused", "--force");
  });

  it("keeps what -smp made", async () => {
    const cpus = { boot: 4, max: 16, hotpluggable: false };
    const changes = { name: "fixed", cpus, numa: undefined, pinning: undefined, memory: { size: "256M" } };
    await cli.ok("up", changedProfile(cli, profile, changes), "--paused");
    await cli.ok("setvcpus", "fixed", "6");
    const { exitCode, code } = await codeOf("setvcpus", "fixed", "3");
    expect({ exitCode, code }).toEqual({ exitCode: 1, code: "LIVE_VCPU_FIXED" });
    await cli.ok("down", "fixed", "--force");
  });

  it("keeps the host CPUs of vCPUs that are yet to come", async () => {
    const cpus = { boot: 1, max: 2 };
    const pinning = { vcpus: { "0": "0", "1": "1" } };
    const changes = { name: "later", cpus, pinning, numa: undefined, memory: { size: "64M" } };
    await cli.ok("up", changedProfile(cli, profile, changes), "--paused");
    const { exclusiveCpus, vcpus } = JSON.parse(await cli.ok("info", "later", "--json"));
    expect({ exclusiveCpus, vcpus }).toEqual({ exclusiveCpus: [0, 1], vcpus: 1 });
    await cli.ok("setvcpus", "later", "2");
    expect((await liveGuest(cli, "later").threads()).map(({ allowedCpus }) => allowedCpus)).toEqual([
      [0],
      [1],
    ]);
    await cli.ok("down", "later", "--force");
  });

  it("is not there", async () => {
    expect(await codeOf("setvcpus", "nobody", "3")).toEqual({ exitCode: 1, code: "VM_UNKNOWN" });
  });
});

describe.each(qemuPrograms)("a guest with an agent, on %s", (qemu) => {
  let cli: Cli;
  beforeAll(async () => {
    cli = openCli(qemu);
    const file = changedProfile(cli, profile, { name: "agent" });
    const { kernel } = JSON.parse(readFileSync(file, "utf8"));
    const cmdline = `${kernel.cmdline} probe.agent`;
    await bootProbe(
      cli,
      changedProfile(cli, profile, { name: "agent", kernel: { ...kernel, cmdline } }),
      "agent",
    );
  });
  afterAll(() => cli.close());

  it("brings new vCPUs online, and says how many run", async () => {
    expect(await cli.ok("setvcpus", "agent", "8")).toContain("the guest runs 8 of them");
    const guest = liveGuest(cli, "agent");
    expect(await guest.nodes()).toEqual(["0-1", "2-3", "4-5", "6-7"]);
    const states = (await guest.operations()).flatMap(({ history }) => history.map(({ state }) => state));
    expect(states).toEqual(["requested", "accepted", "placed", "online", "done"]);
  });

  it("leaves a CPU offline that was so before", async () => {
    const guest = liveGuest(cli, "agent");
    await guest.run("echo 0 >/sys/devices/system/cpu/cpu1/online");
    expect(await cli.ok("setvcpus", "agent", "12")).toContain("the guest runs 11 of them");
    expect(await guest.nodes()).toEqual(["0,8-9", "2-3,10-11", "4-5", "6-7"]);
  });
});

async function hasKvm(cli: Cli): Promise<boolean> {
  return JSON.parse(await cli.ok("qmp", name, "query-kvm")).enabled;
}
