import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realSystem } from "../../src/system/index.ts";
import { describeVm, listVms, stopVm } from "../../src/vm/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { reachableQemu } from "../rig/reachable-qemu.ts";
import { openRig, processesWith, type Rig } from "../rig/vm.ts";

const { find } = realSystem.processes;
const virtiofsd = ["virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/qemu/virtiofsd"].find((program) =>
  find(program),
);
const missing = [
  ...(virtiofsd === undefined ? ["virtiofsd"] : []),
  ...(find("swtpm") === undefined ? ["swtpm"] : []),
].join(" and ");

describe.each(qemuPrograms)("the programs beside a VM, with %s,", (qemu) => {
  let rig: Rig;
  let profile: object;
  beforeEach(({ skip }) => {
    if (missing !== "") skip(`${missing} not installed`);
    rig = openRig(qemu);
    const shared = join(rig.root, ".shared");
    mkdirSync(shared);
    profile = { name: "helped", tpm: {}, filesystems: [{ id: "share", type: "virtiofs", path: shared }] };
  });
  afterEach(() => rig?.close());

  const helpers = async () => (await describeVm(rig.system, "helped")).helpers;

  it("run as long as it does", async () => {
    await rig.launch(profile);
    expect((await helpers()).map(({ id, running }) => [id, running]).sort()).toEqual([
      ["share", true],
      ["tpm", true],
    ]);
    await stopVm(rig.system, "helped", { force: true });
    expect(readdirSync(rig.root)).toEqual([".shared"]);
    expect(processesWith(rig.root)).toEqual([]);
  });

  it("are ended after a QEMU that was killed", async () => {
    const vm = await rig.launch(profile);
    process.kill(vm.pid, "SIGKILL");
    await expect.poll(async () => (await listVms(rig.system))[0]?.state).toBe("ended");
    await rig.launch({ ...profile, filesystems: [], tpm: undefined });
    expect(processesWith(rig.root)).toHaveLength(1);
  });

  it("serve a QEMU that is another user", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("needs root, to become another user");
    chmodSync(rig.root, 0o711);
    const reachable = reachableQemu(qemu);
    const other = openRig(reachable.program, {}, rig.root);
    const vm = await other.launch({ ...profile, sandbox: { user: "nobody" } });
    expect(statSync(`/proc/${vm.pid}`).uid).toBe(65534);
    expect((await helpers()).every(({ running }) => running)).toBe(true);
    await stopVm(rig.system, "helped", { force: true });
    reachable.remove();
  });
});
