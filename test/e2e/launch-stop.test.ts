import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../../src/events/event.ts";
import { executeQmp, listVms, runVm, stopVm } from "../../src/vm/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, processesWith, type Rig } from "../rig/vm.ts";

describe.each(qemuPrograms)("the end of a VM, with %s,", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  const expectNothingLeft = () => {
    expect(readdirSync(rig.root)).toEqual([]);
    expect(processesWith(rig.root)).toEqual([]);
  };

  it("comes by force after the timeout when the guest does not react", async () => {
    await rig.launch({ name: "deaf" }, { paused: false });
    const events: Event[] = [];
    const stopped = await stopVm(rig.system, "deaf", {
      timeoutMs: 1200,
      emit: (event) => events.push(event),
    });
    expect(stopped.how).toBe("quit");
    expect(stopped.elapsedMs).toBeGreaterThanOrEqual(1200);
    expect(events).toContainEqual(expect.objectContaining({ type: "waiting", step: "power down" }));
    expectNothingLeft();
  });

  it("comes at once for a guest that never ran", async () => {
    await rig.launch({ name: "fresh" });
    expect((await stopVm(rig.system, "fresh")).how).toBe("quit");
    expectNothingLeft();
  });

  it("comes at once with force", async () => {
    await rig.launch({ name: "forced" }, { paused: false });
    expect((await stopVm(rig.system, "forced", { force: true })).how).toBe("quit");
    expectNothingLeft();
  });

  it("lets a paused guest run, so that it can react", async () => {
    await rig.launch({ name: "sleeper" }, { paused: false });
    await executeQmp(rig.system, "sleeper", "stop");
    const events: Event[] = [];
    await stopVm(rig.system, "sleeper", { timeoutMs: 500, emit: (event) => events.push(event) });
    expect(events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining("was paused") }),
    );
    expectNothingLeft();
  });

  it("comes for a QEMU that answers nobody", async () => {
    const vm = await rig.launch({ name: "frozen" }, { paused: false });
    process.kill(vm.pid, "SIGSTOP");
    expect((await stopVm(rig.system, "frozen", { force: true })).how).toBe("killed");
    expectNothingLeft();
  });

  it("can be given up, and the VM goes on", async () => {
    await rig.launch({ name: "patient" }, { paused: false });
    const controller = new AbortController();
    const stop = stopVm(rig.system, "patient", {
      signal: controller.signal,
      emit: (event) => event.type === "waiting" && controller.abort(),
    });
    await expect(stop).rejects.toThrow(/VM_TIMEOUT.*interrupted/);
    expect((await listVms(rig.system)).map(({ state }) => state)).toEqual(["running"]);
  });

  it("is one command's at a time, unless the second uses force", async () => {
    await rig.launch({ name: "contested" }, { paused: false });
    let waiting = () => {};
    const waits = new Promise<void>((resolve) => {
      waiting = resolve;
    });
    const first = stopVm(rig.system, "contested", { emit: (event) => event.type === "waiting" && waiting() });
    await waits;
    expect((await listVms(rig.system)).map(({ state }) => state)).toEqual(["stopping"]);
    await expect(stopVm(rig.system, "contested")).rejects.toThrow(
      /VM_BUSY: qlaunch down contested \(process \d+\)/,
    );
    await stopVm(rig.system, "contested", { force: true });
    await first;
    expectNothingLeft();
  });

  it("is refused for a name that nobody has, even one with a path in it", async () => {
    await rig.launch({ name: "known" });
    await expect(stopVm(rig.system, "unknown")).rejects.toThrow(/VM_UNKNOWN: no VM is called "unknown"/);
    await expect(stopVm(rig.system, "../known")).rejects.toThrow(/VM_UNKNOWN/);
    await expect(stopVm(rig.system, "unknown")).rejects.toMatchObject({
      diagnostics: [{ needed: "one of known" }],
    });
  });
});

describe.each(qemuPrograms)("a VM in the foreground, with %s,", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  const run = async (name: string, whenRunning: (pid: number) => unknown, stop = new AbortController()) => {
    const planned = await rig.plan({ name });
    const result = runVm(rig.system, {
      ...planned,
      paused: false,
      stop: stop.signal,
      stopTimeoutMs: 300,
      emit: (event) => {
        if (event.type !== "step-ended" || event.step !== "let the guest run") return;
        // After the start has let go of the monitor.
        setTimeout(() => whenRunning(processesWith(join(rig.root, name))[0] ?? 0), 100);
      },
    });
    return await result;
  };

  it("ends with its guest", async () => {
    const exit = await run("ending", () => executeQmp(rig.system, "ending", "quit").catch(() => {}));
    expect(exit).toEqual({ exitCode: 0, signal: undefined });
    expect(readdirSync(rig.root)).toEqual([]);
  });

  it("powers down when told to stop", async () => {
    const stop = new AbortController();
    expect(await run("stopping", () => stop.abort(), stop)).toMatchObject({ exitCode: 0 });
    expect(readdirSync(rig.root)).toEqual([]);
  });

  it("can be taken down by another command", async () => {
    expect(await run("downed", () => stopVm(rig.system, "downed", { force: true }))).toMatchObject({
      exitCode: 0,
    });
    expect(readdirSync(rig.root)).toEqual([]);
  });

  it("says so when QEMU is killed, and leaves nothing", async () => {
    await expect(run("shot", (pid) => process.kill(pid, "SIGKILL"))).rejects.toThrow(
      /VM_DIED: QEMU of shot ended \(SIGKILL\)/,
    );
    expect(readdirSync(rig.root)).toEqual([]);
  });
});
