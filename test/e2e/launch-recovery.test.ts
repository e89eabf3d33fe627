import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeVm, executeQmp, listVms, resumeVm, stopVm } from "../../src/vm/index.ts";
import { buildChild, type ChildProgram } from "../rig/child.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, processesWith, type Rig } from "../rig/vm.ts";

let child: ChildProgram;
beforeAll(async () => {
  child = await buildChild();
});
afterAll(() => child.remove());

describe.each(qemuPrograms)("after a death, with %s,", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  /** Starts a VM from a process that dies as it says this. */
  const killedAt = async (moment: string) => {
    const planned = await rig.plan({ name: "victim" });
    const outcome = await child.run(
      { ...planned, paused: true, diesAt: moment },
      { environment: rig.system.user.environment },
    );
    expect(outcome.signal, outcome.stderr).toBe("SIGKILL");
  };
  const stateOf = async () => (await listVms(rig.system)).map(({ name, state }) => [name, state]);

  const moments = [
    "step-started write the plan",
    "step-started start QEMU",
    "step-ended start QEMU",
    "step-started wait for QEMU",
    "step-started pin the threads",
    "step-started check the memory policy",
  ];

  it.each(moments)("a starter killed at '%s': ps says so, down cleans it", async (moment) => {
    await killedAt(moment);
    expect(await stateOf()).toEqual([["victim", "interrupted"]]);
    const stopped = await stopVm(rig.system, "victim");
    expect(stopped.how).toBe("cleaned");
    expect(readdirSync(rig.root)).toEqual([]);
    expect(processesWith(rig.root)).toEqual([]);
  });

  it.each(moments)("a starter killed at '%s': the next start cleans it", async (moment) => {
    await killedAt(moment);
    const vm = await rig.launch({ name: "victim" });
    expect(await stateOf()).toEqual([["victim", "paused"]]);
    expect(processesWith(rig.root)).toEqual([vm.pid]);
  });

  it("a starter killed when all is checked leaves a whole VM", async () => {
    const planned = await rig.plan({ name: "victim" });
    await child.run(
      { ...planned, paused: false },
      {
        environment: rig.system.user.environment,
        onLine: (line, process) => {
          if (line.step === "let the guest run") process.kill("SIGKILL");
        },
      },
    );
    expect(["paused", "running"]).toContain((await listVms(rig.system))[0]?.state);
    await resumeVm(rig.system, "victim");
    expect(await stateOf()).toEqual([["victim", "running"]]);
  });

  it("a QEMU whose pid nobody noted is found by its arguments", async () => {
    const vm = await rig.launch({ name: "orphan" });
    const file = join(rig.root, "orphan/vm.json");
    const record = JSON.parse(readFileSync(file, "utf8"));
    const undo = record.undo.map((entry: { action: object }) =>
      "process" in entry.action ? { ...entry, action: { ...entry.action, process: null } } : entry,
    );
    writeFileSync(file, JSON.stringify({ ...record, phase: "starting", qemu: null, worker: null, undo }));
    expect(processesWith(rig.root)).toEqual([vm.pid]);
    await stopVm(rig.system, "orphan");
    expect(processesWith(rig.root)).toEqual([]);
  });

  it("a killed QEMU leaves a VM that ended: ps says so, other commands too, down cleans it", async () => {
    const vm = await rig.launch({ name: "dead" });
    process.kill(vm.pid, "SIGKILL");
    await expect.poll(stateOf).toEqual([["dead", "ended"]]);
    expect((await describeVm(rig.system, "dead")).problem).toMatch(
      /QEMU \(process \d+\) is gone; qlaunch down dead/,
    );
    await expect(executeQmp(rig.system, "dead", "query-status")).rejects.toThrow(/VM_STALE/);
    expect((await stopVm(rig.system, "dead")).how).toBe("cleaned");
    expect(readdirSync(rig.root)).toEqual([]);
  });

  it("a killed QEMU's name can be started again, and keeps its uuid", async () => {
    const first = await rig.launch({ name: "dead" });
    process.kill(first.pid, "SIGKILL");
    await expect.poll(stateOf).toEqual([["dead", "ended"]]);
    const second = await rig.launch({ name: "dead" });
    expect(second.uuid).toBe(first.uuid);
    expect(second.pid).not.toBe(first.pid);
    expect(rig.events).toContainEqual(
      expect.objectContaining({ type: "notice", message: expect.stringContaining("is gone") }),
    );
  });

  it("a stop that was killed halfway leaves a VM that can be stopped", async () => {
    await rig.launch({ name: "half" });
    const file = join(rig.root, "half/vm.json");
    const record = JSON.parse(readFileSync(file, "utf8"));
    const worker = { pid: process.pid, startTimeTicks: 1 };
    writeFileSync(file, JSON.stringify({ ...record, phase: "stopping", worker }));
    expect(await stateOf()).toEqual([["half", "paused"]]);
    expect((await stopVm(rig.system, "half")).how).toBe("quit");
    expect(processesWith(rig.root)).toEqual([]);
  });

  it("another process with QEMU's pid is not taken for it, nor harmed", async () => {
    const vm = await rig.launch({ name: "reused" });
    const file = join(rig.root, "reused/vm.json");
    const record = JSON.parse(readFileSync(file, "utf8"));
    process.kill(vm.pid, "SIGKILL");
    // As if the kernel had given the pid to this very process.
    const qemu = { pid: process.pid, startTimeTicks: 1 };
    const undo = record.undo.map((entry: { action: object }) =>
      "process" in entry.action ? { ...entry, action: { ...entry.action, process: qemu } } : entry,
    );
    writeFileSync(file, JSON.stringify({ ...record, qemu, undo }));
    expect(await stateOf()).toEqual([["reused", "ended"]]);
    await stopVm(rig.system, "reused");
    expect(existsSync(join(rig.root, "reused"))).toBe(false);
  });

  it("a record from before a reboot is one of a dead VM", async () => {
    const vm = await rig.launch({ name: "rebooted" });
    const file = join(rig.root, "rebooted/vm.json");
    const record = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...record, bootId: "another" }));
    expect(await stateOf()).toEqual([["rebooted", "ended"]]);
    writeFileSync(file, JSON.stringify(record));
    expect((await describeVm(rig.system, "rebooted")).pid).toBe(vm.pid);
  });

  it("a broken record is said to be one, and its QEMU is found and ended", async () => {
    await rig.launch({ name: "broken" });
    writeFileSync(join(rig.root, "broken/vm.json"), "{");
    expect(await stateOf()).toEqual([["broken", "broken"]]);
    await expect(executeQmp(rig.system, "broken", "query-status")).rejects.toThrow(/VM_STALE.*not JSON/);
    expect((await stopVm(rig.system, "broken")).how).toBe("cleaned");
    expect(processesWith(rig.root)).toEqual([]);
    expect(readdirSync(rig.root)).toEqual([]);
  });

  it("a newer program's record is left alone", async () => {
    await rig.launch({ name: "newer" });
    const file = join(rig.root, "newer/vm.json");
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace('"format": 1', '"format": 2'));
    await expect(stopVm(rig.system, "newer")).rejects.toThrow(/RUN_DIRECTORY.*newer qlaunch/);
    await expect(rig.launch({ name: "newer" })).rejects.toThrow(/RUN_DIRECTORY.*newer qlaunch/);
    writeFileSync(file, text);
  });

  it("a folder of somebody's that has a VM's name is never removed", async () => {
    mkdirSync(join(rig.root, "photos"));
    writeFileSync(join(rig.root, "photos/holiday.jpg"), "");
    await expect(stopVm(rig.system, "photos")).rejects.toThrow(
      /RUN_DIRECTORY.*not the run directory of a VM/,
    );
    await expect(rig.launch({ name: "photos" })).rejects.toThrow(/not the run directory of a VM/);
    expect(await stateOf()).toEqual([]);
    expect(existsSync(join(rig.root, "photos/holiday.jpg"))).toBe(true);
    rig.system.files.remove(join(rig.root, "photos"));
  });
});
