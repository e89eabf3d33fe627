import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listVms, preflight, readLedger, readVmLog, stopVm } from "../../src/vm/index.ts";
import { capabilities, hasCapability } from "../../src/vm/limits.ts";
import { buildChild, type ChildProgram } from "../rig/child.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { reachableQemu } from "../rig/reachable-qemu.ts";
import { openRig, processesWith, type Rig } from "../rig/vm.ts";

const nobody = { uid: 65534, gid: 65534 };
const isRoot = process.getuid?.() === 0;
const needsRoot = "needs root, to become another user";

describe("a run directory", () => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemuPrograms[0] ?? "");
  });
  afterEach(() => rig.close());

  /** The same rig with its run root one folder deeper. */
  const inside = (name: string, prepare: (path: string) => void): Rig => {
    const path = join(rig.root, name);
    prepare(path);
    return openRig(rig.qemu, {}, path);
  };
  const expectRefusal = async (other: Rig, words: RegExp) => {
    await expect(other.launch({ name: "refused" }, { unchecked: true })).rejects.toThrow(words);
    expect(processesWith(rig.root)).toEqual([]);
  };

  it("is made with the mode that lets QEMU's user through, and nobody look", async () => {
    const other = inside(".root", () => {});
    await other.launch({ name: "made" });
    expect(statSync(other.root).mode & 0o777).toBe(isRoot ? 0o711 : 0o700);
    await other.close();
  });

  it("that everyone may write is refused", async () => {
    const other = inside(".open", (path) => {
      mkdirSync(path);
      chmodSync(path, 0o777);
    });
    await expectRefusal(other, /RUN_DIRECTORY.*can be written by others \(mode 0777\)/);
    expect(readdirSync(other.root)).toEqual([]);
    await expect(listVms(other.system)).rejects.toThrow(/RUN_DIRECTORY/);
    expect(() => readLedger(other.system)).toThrow(/RUN_DIRECTORY/);
  });

  it("with one VM's folder that others may write hides no other VM", async () => {
    await rig.launch({ name: "good" });
    await rig.launch({ name: "open" });
    chmodSync(join(rig.root, "open"), 0o777);
    const states = (await listVms(rig.system)).map(({ name, state }) => [name, state]);
    expect(states).toEqual([
      ["good", "paused"],
      ["open", "broken"],
    ]);
    await expect(stopVm(rig.system, "open")).rejects.toThrow(/RUN_DIRECTORY/);
    chmodSync(join(rig.root, "open"), 0o700);
  });

  it("that is a link is refused", async () => {
    mkdirSync(join(rig.root, ".target"));
    const other = inside(".link", (path) => symlinkSync(join(rig.root, ".target"), path));
    await expectRefusal(other, /RUN_DIRECTORY.*is a symbolic link/);
  });

  it("below a folder that everyone may write is refused", async () => {
    const other = inside(".open/root", () => {
      mkdirSync(join(rig.root, ".open"));
      chmodSync(join(rig.root, ".open"), 0o777);
    });
    await expectRefusal(
      other,
      /RUN_DIRECTORY.*\.open, which holds the run directory, can be written by everyone/,
    );
  });

  it("of somebody else is refused", async ({ skip }) => {
    if (!isRoot) skip(needsRoot);
    const other = inside(".foreign", (path) => {
      mkdirSync(path);
      chownSync(path, nobody.uid, nobody.gid);
    });
    await expectRefusal(other, /RUN_DIRECTORY.*belongs to user 65534, not to you \(0\)/);
  });

  it("with a VM's folder of somebody else is refused", async ({ skip }) => {
    if (!isRoot) skip(needsRoot);
    mkdirSync(join(rig.root, "refused"));
    chownSync(join(rig.root, "refused"), nobody.uid, nobody.gid);
    await expectRefusal(rig, /RUN_DIRECTORY.*belongs to user 65534/);
    rmSync(join(rig.root, "refused"), { recursive: true });
  });

  it("holds a guest whose memory is locked, for one who may", async ({ skip }) => {
    if (!hasCapability(rig.system.files, capabilities.IPC_LOCK)) skip("needs CAP_IPC_LOCK");
    const vm = await rig.launch({ name: "locked", memory: { size: "64M", locked: true } });
    expect(lockedBytes(rig, vm.pid)).toBeGreaterThan(64 * 2 ** 20);
  });

  it("whose sockets have too long a path is refused, with the length to save", async () => {
    const other = inside(`.${"long".repeat(30)}`, (path) => mkdirSync(path));
    await expectRefusal(other, /RUN_DIRECTORY.*has \d{3} bytes/);
  });
});

describe.each(qemuPrograms)("another user, with %s,", (program) => {
  let child: ChildProgram;
  let qemu: ReturnType<typeof reachableQemu>;
  let folder: string;
  beforeAll(async () => {
    child = await buildChild();
    qemu = reachableQemu(program);
    folder = mkdtempSync(join(tmpdir(), "qlaunch-user-"));
    chmodSync(folder, 0o711);
  });
  afterAll(() => {
    child.remove();
    qemu.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it("can start and stop VMs of its own, without any right", async ({ skip }) => {
    if (!isRoot) skip(needsRoot);
    const runtime = join(folder, "runtime");
    mkdirSync(runtime, { mode: 0o700 });
    chownSync(runtime, nobody.uid, nobody.gid);
    const rig = openRig(qemu.program, {}, join(runtime, "qlaunch"));
    const planned = await rig.plan({ name: "mine", pinning: { vcpus: { "0": "1" }, emulator: "0" } });
    const options = {
      environment: { PATH: process.env.PATH, XDG_RUNTIME_DIR: runtime },
      through: ["setpriv", `--reuid=${nobody.uid}`, `--regid=${nobody.gid}`, "--clear-groups"],
    };
    const outcome = await child.run({ ...planned, paused: true }, options);
    expect(outcome.lines.at(-1), outcome.stderr).toMatchObject({ launched: { name: "mine" } });
    const [pid] = processesWith(runtime);
    expect(statSync(`/proc/${pid}`).uid).toBe(nobody.uid);
    expect(statSync(join(runtime, "qlaunch")).mode & 0o777).toBe(0o700);
    const stopped = await child.run({ stop: "mine" }, options);
    expect(stopped.lines.at(-1), stopped.stderr).toMatchObject({ stopped: { how: "quit" } });
    expect(readdirSync(join(runtime, "qlaunch"))).toEqual([]);
    expect(processesWith(runtime)).toEqual([]);
  });

  it("runs QEMU for root, in a folder of its own, and root alone has the rest", async ({ skip }) => {
    if (!isRoot) skip(needsRoot);
    const rig = openRig(qemu.program, {}, join(folder, "root"));
    const vm = await rig.launch({
      name: "caged",
      numa: { cells: [{ cpus: "0", memory: "64M", hostNodes: "0", policy: "bind" }] },
      pinning: { vcpus: { "0": "1" } },
      sandbox: { user: "nobody", group: "nogroup", openFiles: 4096 },
    });
    const status = rig.system.files.readText(`/proc/${vm.pid}/status`);
    expect(status).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^Gid:\t65534\t65534\t65534\t65534$/m);
    expect(status).toMatch(/^Groups:\s*$/m);
    expect(status).toMatch(/^CapEff:\t0000000000000000$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(rig.system.files.readText(`/proc/${vm.pid}/limits`)).toMatch(/^Max open files\s+4096\s+4096/m);
    const directory = join(rig.root, "caged");
    const facts = (name: string) => rig.system.files.facts(join(directory, name));
    expect(facts(".")).toMatchObject({ uid: 0, gid: nobody.gid, mode: 0o710 });
    expect(facts("qemu")).toMatchObject({ ...nobody, mode: 0o700 });
    expect(facts("qemu/qmp.sock")).toMatchObject({ uid: nobody.uid });
    expect(facts("vm.json")).toMatchObject({ uid: 0, mode: 0o600 });
    expect(facts("qemu.log")).toMatchObject({ uid: 0, mode: 0o600 });
    const log = join(directory, "qemu/serial0.log");
    rig.system.files.remove(log);
    symlinkSync("/etc/shadow", log);
    expect(() => readVmLog(rig.system, "caged", { source: "console" })).toThrow(
      /RUN_DIRECTORY.*symbolic link/,
    );
    expect((await stopVm(rig.system, "caged", { force: true })).how).toBe("quit");
    expect(statSync("/etc/shadow").isFile()).toBe(true);
    expect(readdirSync(rig.root)).toEqual([]);
  });

  it("gets the limit on locked memory that its guest needs, or is refused", async ({ skip }) => {
    if (!isRoot) skip(needsRoot);
    const rig = openRig(qemu.program, {}, join(folder, "locked"));
    const profile = { name: "locked", memory: { size: "64M", locked: true }, sandbox: { user: "nobody" } };
    const { plan, host } = await rig.plan(profile);
    if (!hasCapability(rig.system.files, capabilities.SYS_RESOURCE)) {
      expect(await preflight(rig.system, plan, host)).toEqual([
        expect.objectContaining({ code: "HOST_LOCKED_MEMORY", path: ["memory", "locked"] }),
      ]);
      await expect(rig.launch(profile)).rejects.toMatchObject({
        diagnostics: [{ code: "VM_START_FAILED", fix: expect.stringContaining("ulimit -l") }],
      });
      return;
    }
    const vm = await rig.launch(profile);
    expect(rig.system.files.readText(`/proc/${vm.pid}/limits`)).toMatch(/^Max locked memory\s+unlimited/m);
    expect(lockedBytes(rig, vm.pid)).toBeGreaterThan(64 * 2 ** 20);
    await stopVm(rig.system, "locked", { force: true });
  });

  it("that does not exist is refused before anything starts", async () => {
    const rig = openRig(qemu.program, {}, join(folder, "unknown"));
    const start = rig.launch({ name: "nobodys", sandbox: { user: "no-such-user" } });
    await expect(start).rejects.toThrow(/HOST_SANDBOX: there is no user no-such-user/);
    expect(readdirSync(rig.root)).toEqual([]);
  });
});

function lockedBytes(rig: Rig, pid: number): number {
  return Number(/^VmLck:\s+(\d+)/m.exec(rig.system.files.readText(`/proc/${pid}/status`))?.[1]) * 1024;
}
