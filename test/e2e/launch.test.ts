import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stopVm } from "../../src/vm/index.ts";
import { openRig, processesWith, qemuPrograms, type Rig } from "../rig/vm.ts";

describe.each(qemuPrograms)("a start with %s", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  it("leaves a pinned VM that needs nothing of its starter", async () => {
    const vm = await rig.launch({
      name: "pinned",
      cpus: { boot: 2 },
      memory: { size: "64M" },
      numa: { cells: [{ cpus: "0-1", memory: "64M", hostNodes: "0", policy: "bind" }] },
      pinning: { vcpus: { "0": "0", "1": "1" }, emulator: "0" },
    });
    expect(vm.paused).toBe(true);
    const record = JSON.parse(readFileSync(join(rig.root, "pinned/vm.json"), "utf8"));
    expect(record).toMatchObject({ format: 1, phase: "running", worker: null, exclusiveCpus: [0, 1] });
    expect(record.qemu.pid).toBe(vm.pid);
    const stopped = await stopVm(rig.system, "pinned", { timeoutMs: 1000 });
    expect(stopped.how).toBe("quit");
    expect(existsSync(join(rig.root, "pinned"))).toBe(false);
    expect(processesWith(rig.root)).toEqual([]);
  });
});
