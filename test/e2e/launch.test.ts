import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseIdSet } from "../../src/units/index.ts";
import { describeVm, executeQmp, launchVm, listVcpuThreads, listVms, stopVm } from "../../src/vm/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, processesWith, type Rig } from "../rig/vm.ts";

const bound = {
  name: "bound",
  cpus: { boot: 4 },
  memory: { size: "96M" },
  numa: {
    cells: [
      { cpus: "0-1", memory: "64M", hostNodes: "0", policy: "bind", distances: [10, 21] },
      { cpus: "2-3", memory: "32M", hostNodes: "0", policy: "bind", distances: [21, 10] },
    ],
  },
  iothreads: ["io0"],
  pinning: {
    vcpus: { "0-3": "0-1" },
    overcommit: true,
    emulator: "0",
    iothreads: { io0: "1" },
  },
};

describe.each(qemuPrograms)("a start with %s", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  it("leaves a VM with every thread where it was planned", async () => {
    const vm = await rig.launch(bound);
    expect(vm).toMatchObject({ name: "bound", paused: true });
    const threads = await listVcpuThreads(rig.system, "bound");
    expect(threads.map(({ vcpu, allowedCpus }) => [vcpu, allowedCpus])).toEqual(
      [0, 1, 2, 3].map((vcpu) => [vcpu, [0, 1]]),
    );
    const iothreads = (await executeQmp(rig.system, "bound", "query-iothreads")) as { "thread-id": number }[];
    const vcpuIds = new Set(threads.map(({ threadId }) => threadId));
    for (const id of readdirSync(`/proc/${vm.pid}/task`).map(Number)) {
      const planned = vcpuIds.has(id) ? [0, 1] : id === iothreads[0]?.["thread-id"] ? [1] : [0];
      expect([id, allowed(vm.pid, id)]).toEqual([id, planned]);
    }
  });

  it("says what it checked, and in which order", async () => {
    await rig.launch(bound);
    const ended = rig.events.filter((event) => event.type === "step-ended");
    expect(ended.map(({ step }) => step)).toEqual([
      "write the plan",
      "start QEMU",
      "wait for QEMU",
      "pin the threads",
      "check the memory policy",
    ]);
    expect(ended.at(-1)?.summary).toContain("2 cells");
  });

  it("lets the guest run unless told not to", async () => {
    await rig.launch({ name: "going" }, { paused: false });
    await rig.launch({ name: "waiting" });
    const states = (await listVms(rig.system)).map(({ name, state, qemuState }) => [name, state, qemuState]);
    expect(states).toEqual([
      ["going", "running", "running"],
      ["waiting", "paused", "prelaunch"],
    ]);
  });

  it("writes a record that another command finds the VM by", async () => {
    const vm = await rig.launch({ name: "recorded" });
    const record = JSON.parse(readFileSync(join(rig.root, "recorded/vm.json"), "utf8"));
    expect(record).toMatchObject({ format: 1, name: "recorded", phase: "running", worker: null });
    expect(record.qemu.pid).toBe(vm.pid);
    const detail = await describeVm(rig.system, "recorded");
    expect(detail).toMatchObject({ pid: vm.pid, uuid: vm.uuid, vcpus: 1, memoryBytes: 64 * 2 ** 20 });
    expect(detail.consoles.map(({ id }) => id)).toEqual(["serial0", "agent"]);
    const asked = (await executeQmp(rig.system, "recorded", "query-uuid")) as { UUID: string };
    expect(asked.UUID).toBe(vm.uuid);
  });

  it("keeps its files from others", async () => {
    await rig.launch({ name: "private" });
    const { facts } = rig.system.files;
    expect(facts(join(rig.root, "private"))?.mode).toBe(0o700);
    expect(facts(join(rig.root, "private/qemu"))?.mode).toBe(0o700);
    expect(facts(join(rig.root, "private/vm.json"))?.mode).toBe(0o600);
  });

  it("holds its host CPUs in the ledger until it is gone", async () => {
    await rig.launch({ name: "first", pinning: { vcpus: { "0": "1" } } });
    // Planned before the first one noted its CPUs, started after.
    const late = await rig.plan({ name: "second", pinning: { vcpus: { "0": "0" } } });
    const placement = {
      ...late.plan.placement,
      vcpus: late.plan.placement.vcpus.map((vcpu) => ({ ...vcpu, hostCpus: [1] })),
    };
    const request = { ...late, plan: { ...late.plan, placement }, paused: true, emit: () => {} };
    await expect(launchVm(rig.system, request)).rejects.toThrow(/host CPUs 1 belong to first/);
    expect(existsSync(join(rig.root, "second"))).toBe(false);
    await stopVm(rig.system, "first", { force: true });
    await expect(launchVm(rig.system, request)).resolves.toMatchObject({ name: "second" });
  });

  it("of a name that runs is refused, and the VM goes on", async () => {
    const vm = await rig.launch({ name: "twice" });
    await expect(rig.launch({ name: "twice" })).rejects.toThrow(
      /VM_RUNNING.*twice runs as process \d+ since 20/s,
    );
    expect((await listVms(rig.system)).map(({ pid }) => pid)).toEqual([vm.pid]);
  });

  it("at the same time as another of the same name: one wins, the other says who", async () => {
    const results = await Promise.allSettled([rig.launch({ name: "race" }), rig.launch({ name: "race" })]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const lost = results.find((result) => result.status === "rejected");
    expect(String(lost?.reason)).toMatch(/VM_BUSY: qlaunch up race \(process \d+\)|VM_RUNNING/);
    expect(processesWith(rig.root)).toHaveLength(1);
  });

  it("waits for a slow QEMU as long as it lives, and tells so", async () => {
    const planned = await rig.plan({ name: "slow" });
    let pid = 0;
    const reasons: string[] = [];
    const start = launchVm(rig.system, {
      ...planned,
      paused: true,
      emit: (event) => {
        if (event.type === "step-started" && event.step === "wait for QEMU") {
          pid = processesWith(rig.root)[0] ?? 0;
          process.kill(pid, "SIGSTOP");
        }
        if (event.type !== "waiting") return;
        reasons.push(event.reason);
        process.kill(pid, "SIGCONT");
      },
    });
    expect((await start).pid).toBe(pid);
    // None of its memory is taken before the guest runs.
    expect(reasons[0]).toBe("it makes its devices");
  });

  it("needs nothing of its starter, and leaves nothing after its end", async () => {
    await rig.launch({ name: "gone" });
    const stopped = await stopVm(rig.system, "gone", { timeoutMs: 1000 });
    expect(stopped.how).toBe("quit");
    expect(readdirSync(rig.root)).toEqual([]);
    expect(processesWith(rig.root)).toEqual([]);
  });
});

function allowed(pid: number, threadId: number) {
  const status = readFileSync(`/proc/${pid}/task/${threadId}/status`, "utf8");
  return parseIdSet(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "");
}
