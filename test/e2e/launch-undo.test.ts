import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/index.ts";
import { type System, SystemError } from "../../src/system/index.ts";
import { launchVm } from "../../src/vm/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, processesWith, type Rig } from "../rig/vm.ts";

/** A helper that listens where it is told to, as virtiofsd and swtpm do. */
const listener = `#!/usr/bin/env node
require("net").createServer().listen(process.argv[2]);
`;

describe.each(qemuPrograms)("a failing start with %s", (qemu) => {
  let rig: Rig;
  let copy: (plan: Plan) => Plan;
  beforeEach(() => {
    rig = openRig(qemu);
    const folder = join(rig.root, ".extra");
    mkdirSync(folder);
    writeFileSync(join(folder, "vars"), "template");
    writeFileSync(join(folder, "helper"), listener);
    chmodSync(join(folder, "helper"), 0o755);
    // Every kind of step: a copied file and a helper beside what every start has.
    copy = (plan) => {
      const socket = join(rig.root, plan.name, "qemu/helper.sock");
      const helper = { id: "helper", programs: [join(folder, "helper")], arguments: [socket], socket };
      const copies = [{ source: join(folder, "vars"), target: join(folder, "copied") }];
      return { ...plan, run: { ...plan.run, copies, helpers: [helper] } };
    };
  });
  afterEach(() => rig.close());

  const expectNothingLeft = () => {
    expect(readdirSync(rig.root)).toEqual([".extra"]);
    expect(readdirSync(join(rig.root, ".extra")).sort()).toEqual(["helper", "vars"]);
    expect(processesWith(rig.root)).toEqual([]);
  };

  it("leaves nothing, whichever step it fails before or after", async () => {
    const planned = await rig.plan({ name: "steps" });
    const plan = copy(planned.plan);
    const steps: string[] = [];
    const start = (emit: Parameters<typeof launchVm>[1]["emit"]) =>
      launchVm(rig.system, { ...planned, plan, paused: false, emit });
    for (let failing = 0; ; failing += 1) {
      let moments = 0;
      const undone: string[] = [];
      const outcome = await start((event) => {
        if (event.type === "step-undone") undone.push(event.problem ?? event.step);
        if (event.type !== "step-started" && event.type !== "step-ended") return;
        if (moments++ === failing) {
          steps.push(`${event.type} ${event.step}`);
          throw new Error("made to fail");
        }
      }).catch((error: unknown) => error);
      if (!(outcome instanceof Error)) break;
      expect(outcome.message).toBe("made to fail");
      expectNothingLeft();
      if (steps.at(-1) === "step-ended start QEMU") {
        expect(undone).toEqual([
          "start QEMU",
          "start helper",
          `copy ${join(rig.root, ".extra/vars")}`,
          "make the run directory",
        ]);
      }
    }
    expect(steps).toHaveLength(16);
    expect(readdirSync(join(rig.root, ".extra"))).toContain("copied");
  });

  it("says why QEMU died, and what to do", async () => {
    const start = rig.launch(
      { name: "dying" },
      {
        change: (plan) => ({
          ...plan,
          options: [
            ...plan.options,
            { option: "extra", arguments: ["-drive", "file=/nowhere.img,if=none"], because: ["x"] },
          ],
        }),
      },
    );
    await expect(start).rejects.toMatchObject({
      diagnostics: [
        {
          code: "VM_START_FAILED",
          found: expect.stringMatching(/ended \(status 1\).*Could not open '\/nowhere.img': No such file/),
          fix: expect.stringContaining("correct its path"),
        },
      ],
    });
    expect(readdirSync(rig.root)).toEqual([".extra"]);
  });

  it("says so when QEMU is killed while it is waited for", async () => {
    const planned = await rig.plan({ name: "killed" });
    const start = launchVm(rig.system, {
      ...planned,
      paused: true,
      emit: (event) => {
        if (event.type !== "step-started" || event.step !== "wait for QEMU") return;
        for (const pid of processesWith(join(rig.root, "killed"))) process.kill(pid, "SIGKILL");
      },
    });
    await expect(start).rejects.toThrow(/VM_START_FAILED: QEMU ended \(SIGKILL\)/);
    expectNothingLeft();
  });

  it("says so when QEMU is killed while it is pinned", async () => {
    const planned = await rig.plan({ name: "killed" });
    const start = launchVm(rig.system, {
      ...planned,
      paused: true,
      emit: (event) => {
        if (event.type !== "step-started" || event.step !== "pin the threads") return;
        for (const pid of processesWith(join(rig.root, "killed"))) process.kill(pid, "SIGKILL");
      },
    });
    await expect(start).rejects.toThrow(/VM_START_FAILED: QEMU ended \(SIGKILL\)/);
    expectNothingLeft();
  });

  it("finds a QEMU that started although its start did not return", async () => {
    const processes: System["processes"] = {
      ...rig.system.processes,
      start: async (...request) => {
        (await rig.system.processes.start(...request)).release();
        throw new SystemError("EINTR", "lost on the way");
      },
    };
    const start = rig.launch({ name: "lost" }, { system: { ...rig.system, processes } });
    await expect(start).rejects.toThrow(/QEMU_UNUSABLE/);
    expectNothingLeft();
  });

  it("ends at the signal", async () => {
    const planned = await rig.plan({ name: "stopped" });
    const controller = new AbortController();
    const start = launchVm(rig.system, {
      ...planned,
      paused: true,
      signal: controller.signal,
      emit: (event) => {
        if (event.type === "step-started" && event.step === "wait for QEMU") controller.abort();
      },
    });
    await expect(start).rejects.toThrow(/interrupted at: wait for QEMU/);
    expectNothingLeft();
  });

  it("finds threads that are not where they should be", async () => {
    // Pinning that pins nothing: only /proc can tell.
    const affinity = { ...rig.system.affinity, set: async () => [] };
    const system: System = { ...rig.system, affinity };
    const start = rig.launch(
      { name: "unpinned", pinning: { vcpus: { "0": "1" }, emulator: "0" } },
      { system },
    );
    await expect(start).rejects.toMatchObject({
      diagnostics: expect.arrayContaining([
        expect.objectContaining({
          code: "VM_PIN_FAILED",
          found: expect.stringMatching(/^vCPU 0 \(thread \d+\) may run on host CPUs 0-1$/),
          needed: "host CPUs 1",
        }),
      ]),
    });
    expectNothingLeft();
  });

  it("finds a vCPU that QEMU does not have", async () => {
    const change = (plan: Plan): Plan => {
      const [first] = plan.placement.vcpus;
      const vcpus = first === undefined ? [] : [first, { ...first, id: 1 }];
      return { ...plan, placement: { ...plan.placement, vcpus } };
    };
    await expect(rig.launch({ name: "missing" }, { change })).rejects.toThrow(
      /VM_PIN_FAILED: QEMU has no vCPU 1/,
    );
    expectNothingLeft();
  });

  it("finds memory that is not bound as planned", async () => {
    const cells = [{ cpus: "0", memory: "64M", hostNodes: "0", policy: "bind" }];
    const interleaved = (plan: Plan): Plan => ({
      ...plan,
      placement: {
        ...plan.placement,
        cells: plan.placement.cells.map((cell) => ({ ...cell, policy: "interleave" })),
      },
    });
    const start = rig.launch({ name: "unbound", numa: { cells } }, { change: interleaved });
    await expect(start).rejects.toThrow(
      /VM_MEMORY_POLICY: QEMU has policy bind[\s\S]*VM_MEMORY_POLICY: the kernel has bind:0/,
    );
    expectNothingLeft();
  });

  it("says what a helper said that ended", async () => {
    writeFileSync(join(rig.root, ".extra/helper"), "#!/bin/sh\necho no such folder >&2\nexit 3\n");
    await expect(rig.launch({ name: "helpless" }, { change: copy })).rejects.toMatchObject({
      diagnostics: [
        { code: "VM_START_FAILED", found: expect.stringContaining("status 3"), detail: "no such folder" },
      ],
    });
    expectNothingLeft();
  });

  it("keeps a copy that was there before: it holds the guest's state", async () => {
    writeFileSync(join(rig.root, ".extra/copied"), "state");
    await rig.launch({ name: "again" }, { change: copy });
    expect(rig.system.files.readText(join(rig.root, ".extra/copied"))).toBe("state");
  });

  it("keeps the kernel's word for a file system that is full", async () => {
    const files = {
      ...rig.system.files,
      writeAtomically: (path: string, text: string, mode?: number) => {
        if (path.endsWith("plan.json")) throw new SystemError("ENOSPC", "no space left on device, write");
        rig.system.files.writeAtomically(path, text, mode);
      },
    };
    await expect(rig.launch({ name: "full" }, { system: { ...rig.system, files } })).rejects.toMatchObject({
      diagnostics: [
        {
          code: "VM_START_FAILED",
          fix: expect.stringContaining("free space"),
          detail: expect.stringContaining("no space"),
        },
      ],
    });
    expectNothingLeft();
  });

  it("does not look for a QEMU that is not there twice", async () => {
    const change = (plan: Plan): Plan => ({ ...plan, program: "/nowhere/qemu-system-x86_64" });
    await expect(rig.launch({ name: "absent" }, { change })).rejects.toThrow(/QEMU_ABSENT: \/nowhere/);
    expectNothingLeft();
  });
});
