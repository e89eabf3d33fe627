import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Drift } from "../../src/hotplug/index.ts";
import type { Operation, OperationState } from "../../src/hotplug/operation.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { canRemoveVcpus, changedProfile, type LiveGuest, liveGuest } from "../rig/live.ts";
import { bootProbe } from "../rig/probe.ts";
import { programFor } from "../rig/program.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/live-vcpus.json", import.meta.url).pathname;
const name = "cut-off";
const pendingStates = ["requested", "accepted", "acted", "online", "placed"];

const programs = await Promise.all(
  qemuPrograms.map(async (qemu) => ({ qemu, removable: await canRemoveVcpus(qemu) })),
);

/** Commands are killed for real; whatever QEMU had done by then, the next command brings it to an end. */
describe.each(programs)("operations whose command is killed, on $qemu", ({ qemu, removable }) => {
  let cli: Cli;
  let guest: LiveGuest;

  beforeAll(async () => {
    cli = openCli(qemu);
    guest = liveGuest(cli, name);
    const { kernel } = JSON.parse(readFileSync(changedProfile(cli, profile, {}), "utf8"));
    const changes = { name, kernel: { ...kernel, cmdline: `${kernel.cmdline} probe.agent` } };
    await bootProbe(cli, changedProfile(cli, profile, changes), name);
  });
  afterAll(() => cli.close());

  const [program, ...script] = programFor(qemu);
  const start = (...arguments_: string[]): ChildProcess =>
    spawn(program, [...script, ...arguments_], {
      stdio: "ignore",
      env: { ...process.env, QLAUNCH_RUN_DIR: cli.root, QLAUNCH_QEMU: qemu },
    });

  /** Where everything must be when no operation is pending. */
  const settled = async (vcpus: number) => {
    const operations = await guest.operations();
    expect(operations.filter(({ state }) => pendingStates.includes(state))).toEqual([]);
    expect(operations.filter(({ worker }) => worker !== null)).toEqual([]);
    expect(await guest.threads()).toHaveLength(vcpus);
    expect(await guest.count()).toBe(vcpus);
    const drift: Drift[] = JSON.parse(await cli.ok("info", name, "--drift", "--json"));
    expect(drift.filter(({ what }) => !what.startsWith("vCPU") || what.includes("thread"))).toEqual([]);
    expect(existsSync(join(cli.root, `.${name}.lock`))).toBe(false);
  };

  /** Kills the command as soon as its operation is in the state. @returns the state that it was left in */
  const killAt = async (
    state: OperationState,
    ...arguments_: string[]
  ): Promise<OperationState | undefined> => {
    const before = (await guest.operations()).length;
    const file = join(cli.root, name, "operations", `${before + 1}.json`);
    const child = start(...arguments_);
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const look = () => {
      if (readState(file) === state) child.kill("SIGKILL");
    };
    const watcher = watch(join(cli.root, name), { recursive: true }, look);
    await ended;
    watcher.close();
    return readState(file);
  };

  it("goes on with one that had asked for nothing yet", async () => {
    const left = await killAt("requested", "setvcpus", name, "6");
    await cli.ok("ops", "resume", name);
    await settled(6);
    expect(["requested", "accepted", "placed", "done"]).toContain(left);
  });

  it("goes on with one whose vCPUs wait for the guest", async () => {
    const left = await killAt("placed", "setvcpus", name, "8");
    expect(["placed", "done"]).toContain(left);
    const list = await guest.operations();
    if (left === "placed") expect(list.at(-1)).toMatchObject({ state: "placed", activity: "cut-off" });
    await cli.ok("ops", "resume", name, String(list.length)).catch((error: unknown) => {
      if (left !== "done") throw error;
    });
    await settled(8);
    // An agent that does not answer in time is not waited for; the guest has them all the same.
    await guest.online();
    expect((await guest.nodes()).join()).toBe("0-1,2-3,4-5,6-7");
  });

  /** QEMU 7.2 without KVM crashes when a vCPU has left. */
  const whereVcpusMayLeave = removable ? it : () => {};

  whereVcpusMayLeave(
    "goes on with one that was asking the guest, and only then does what is new",
    async () => {
      const left = await killAt("accepted", "setvcpus", name, "6");
      expect(["accepted", "acted", "done"]).toContain(left);
      await cli.ok("setvcpus", name, "7");
      await settled(7);
      expect((await guest.operations()).slice(-2).map(({ state }) => state)).toEqual(["done", "done"]);
    },
  );

  it("finishes one that is in any state, wherever QEMU is", async () => {
    const now = await guest.count();
    await cli.ok("setvcpus", name, "--vcpu", `${await guest.vcpus()},2`);
    const file = join(cli.root, name, "operations", `${(await guest.operations()).length}.json`);
    const done: Operation = JSON.parse(readFileSync(file, "utf8"));
    const added = (await guest.threads()).find(({ vcpu }) => vcpu === 2);
    for (const state of ["requested", "accepted", "placed", "online"] as const) {
      const cut = done.history.slice(0, done.history.findIndex((step) => step.state === state) + 1);
      // As all is when a command dies right after it wrote the file, and before it pinned the thread.
      const worker = { pid: 4_000_000, startTimeTicks: 1 };
      writeFileSync(file, JSON.stringify({ ...done, state, history: cut, worker }));
      await execa("taskset", ["--pid", "--cpu-list", "1", String(added?.threadId)]);
      await cli.ok("ops", "resume", name);
      await settled(now + 1);
    }
  });

  it("is finished when it is killed at any moment, twenty times", async () => {
    const first = await guest.count();
    for (let round = 0; round < 20; round++) {
      const from = await guest.count();
      // Every second one takes back what came, where QEMU survives that.
      const to = removable && from > first ? from - 1 : from + 1;
      const child = start("setvcpus", name, String(to));
      const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
      await Promise.race([ended, sleep(Math.random() * 900)]);
      child.kill("SIGKILL");
      await ended;
      // One in three asks for the same again, the others only go on.
      if (round % 3 === 0) await cli.ok("setvcpus", name, String(to));
      else await cli.ok("ops", "resume", name);
      const now = await guest.count();
      expect([from, to]).toContain(now);
      if (round % 3 === 0) expect(now).toBe(to);
      await settled(now);
    }
  });

  it("stops at an interrupt, and says how to go on", async () => {
    const now = await guest.count();
    await guest.run("kill -STOP $(cat /run/qemu-ga.pid)");
    const left = new Promise<number | null>((resolve) => {
      const child = start("setvcpus", name, String(now + 1));
      child.once("exit", (code) => resolve(code));
      setTimeout(() => child.kill("SIGINT"), 1500);
    });
    expect([0, 1]).toContain(await left);
    await guest.run("kill -CONT $(cat /run/qemu-ga.pid)");
    await cli.ok("ops", "resume", name);
    await settled(now + 1);
  });

  it("gives up one that is pending, and keeps what came in its place", async () => {
    const now = await guest.count();
    const left = await killAt("placed", "setvcpus", name, String(now + 1));
    const { id } = (await guest.operations()).at(-1) as Operation;
    const { exitCode, stdout } = await cli.run("ops", "cancel", name, id, "--json");
    expect(exitCode).toBe(left === "done" ? 1 : 0);
    if (left !== "done") expect(stdout).toContain('"state":"cancelled"');
    await settled(now + 1);
  });

  it("refuses what there is not", async () => {
    const { id } = (await guest.operations()).at(-1) as Operation;
    for (const [arguments_, code] of [
      [["ops", "resume", name, "999"], "LIVE_OPERATION_UNKNOWN"],
      [["ops", "cancel", name, "x"], "LIVE_OPERATION_UNKNOWN"],
      [["ops", "cancel", name, id], "LIVE_OPERATION_ENDED"],
      [["ops", "resume", name, id], "LIVE_OPERATION_ENDED"],
      [["ops", "list", "nobody"], "VM_UNKNOWN"],
    ] as const) {
      const { exitCode, stderr } = await cli.run(...arguments_);
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(code) });
    }
    expect(await cli.ok("ops", "resume", name)).toBe("no operation is pending");
  });

  whereVcpusMayLeave(
    "waits no longer than it was told for a guest that never acts, and makes way",
    async () => {
      const now = await guest.count();
      await guest.crash();
      const { exitCode, stderr } = await cli.run("setvcpus", name, String(now - 1), "--timeout", "2");
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining("VM_TIMEOUT") });
      expect(stderr).toContain("qlaunch ops resume cut-off");
      expect((await guest.operations()).at(-1)).toMatchObject({ state: "accepted", activity: "left" });
      expect(await guest.count()).toBe(now);
      const again = await cli.run("ops", "resume", name, "--timeout", "1");
      expect({ exitCode: again.exitCode, stderr: again.stderr }).toEqual({
        exitCode: 1,
        stderr: expect.stringContaining("VM_TIMEOUT"),
      });
      expect(await cli.ok("setvcpus", name, String(now))).toContain("it had them already");
      expect((await guest.operations()).at(-1)?.history.at(-1)?.note).toContain("may still give up");
      await settled(now);
    },
  );
});

function readState(file: string): OperationState | undefined {
  try {
    return (JSON.parse(readFileSync(file, "utf8")) as Operation).state;
  } catch {
    return undefined;
  }
}
