import { chmodSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/index.ts";
import type { System } from "../../src/system/index.ts";
import { preflight } from "../../src/vm/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, type Rig } from "../rig/vm.ts";

const isRoot = process.getuid?.() === 0;

describe.each(qemuPrograms)("the look before a start, with %s,", (qemu) => {
  let rig: Rig;
  beforeEach(() => {
    rig = openRig(qemu);
  });
  afterEach(() => rig.close());

  const file = (name: string) => join(rig.root, `.${name}`);
  /** Problems as "CODE path: found", by a system that can neither write nor start anything. */
  const look = async (profile: object, change: (plan: Plan) => Plan = (plan) => plan) => {
    const { plan, host } = await rig.plan({ name: "looked-at", ...profile });
    const refuse = () => {
      throw new Error("a dry run changed something");
    };
    const { system } = rig;
    const dry: System = {
      ...system,
      files: {
        ...system.files,
        writeAtomically: refuse,
        write: refuse,
        openAppend: refuse,
        makeDirectory: refuse,
        changeOwner: refuse,
        changeMode: refuse,
        copy: refuse,
        remove: refuse,
      },
      processes: { ...system.processes, run: refuse, start: refuse, signal: refuse },
      sockets: { ...system.sockets, connect: refuse, connectDuplex: refuse },
      locks: { ...system.locks, take: refuse },
    };
    const problems = await preflight(dry, change(plan), host);
    for (const { needed, fix } of problems) expect(`${needed}${fix}`).not.toContain("undefined");
    return problems.map(({ code, path, found }) => `${code} ${path.join(".")}: ${found}`);
  };
  const disk = (path: string, more: object = {}) => ({
    disks: [{ id: "d", file: path, format: "raw", ...more }],
  });

  it("finds nothing wrong with what starts", async () => {
    writeFileSync(file("raw"), "");
    truncateSync(file("raw"), 1024 * 1024);
    expect(await look(disk(file("raw")))).toEqual([]);
    await rig.launch({ name: "looked-at", ...disk(file("raw")) });
  });

  it("finds files that are missing, of another kind, or links to nothing", async () => {
    mkdirSync(file("folder"));
    symlinkSync(file("nothing"), file("link"));
    expect(await look(disk(file("none")))).toEqual([
      `HOST_FILE_MISSING disks.0.file: disk d: ${file("none")} does not exist`,
    ]);
    expect(await look(disk(file("folder")))).toEqual([
      `HOST_FILE_FORMAT disks.0.file: disk d: ${file("folder")} is a folder`,
    ]);
    expect(await look(disk(file("link")))).toEqual([
      `HOST_FILE_MISSING disks.0.file: disk d: ${file("link")} is a link to nothing`,
    ]);
    expect(await look({ kernel: { image: file("vmlinuz") } })).toEqual([
      expect.stringMatching(/^HOST_FILE_MISSING kernel.image: /),
    ]);
  });

  it("finds an image of another format, both ways", async () => {
    await image("create", "-q", "-f", "qcow2", file("qcow2"), "1M");
    expect(await look(disk(file("qcow2")))).toEqual([
      `HOST_FILE_FORMAT disks.0.format: disk d: ${file("qcow2")} is qcow2`,
    ]);
    writeFileSync(file("raw"), "no header");
    expect(await look(disk(file("raw"), { format: "qcow2" }))).toEqual([
      expect.stringContaining("is no known format, which makes it raw"),
    ]);
  });

  it("finds a chain of images that is broken", async () => {
    await image("create", "-q", "-f", "qcow2", file("base"), "1M");
    await image("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", ".base", file("top"));
    expect(await look(disk(file("top"), { format: "qcow2" }))).toEqual([]);
    rig.system.files.remove(file("base"));
    expect(await look(disk(file("top"), { format: "qcow2" }))).toEqual([
      `HOST_FILE_MISSING disks.0.file: disk d: its backing file ${file("base")} does not exist`,
    ]);
  });

  it("finds an image that another guest uses, and lets readers share", async () => {
    writeFileSync(file("raw"), "");
    truncateSync(file("raw"), 1024 * 1024);
    await rig.launch({ name: "writer", ...disk(file("raw")) });
    const busy = [`HOST_FILE_BUSY disks.0.file: disk d: another program has ${file("raw")} open`];
    expect(await look(disk(file("raw")))).toEqual(busy);
    expect(await look(disk(file("raw"), { readOnly: true }))).toEqual(busy);
    truncateSync(file("raw"), 1024 * 1024);
    writeFileSync(file("shared"), Buffer.alloc(1024 * 1024));
    await rig.launch({ name: "reader", ...disk(file("shared"), { readOnly: true }) });
    expect(await look(disk(file("shared"), { readOnly: true }))).toEqual([]);
    expect(await look(disk(file("shared")))).toHaveLength(1);
  });

  it("finds a name that runs, and then nothing else", async () => {
    writeFileSync(file("raw"), Buffer.alloc(1024 * 1024));
    const vm = await rig.launch({ name: "looked-at", ...disk(file("raw")) });
    expect(await look(disk(file("raw")))).toEqual([
      expect.stringMatching(new RegExp(`^VM_RUNNING name: looked-at runs as process ${vm.pid} since `)),
    ]);
  });

  it("finds programs that are missing", async () => {
    const change = (plan: Plan): Plan => ({
      ...plan,
      program: "/nowhere/qemu",
      run: {
        ...plan.run,
        helpers: [{ id: "share", programs: ["/nowhere/fs"], arguments: [], socket: "/x" }],
      },
    });
    expect(await look({}, change)).toEqual([
      "QEMU_ABSENT : /nowhere/qemu is not there or cannot be executed",
      "HOST_PROGRAM_MISSING : share needs /nowhere/fs, and none is on this host",
    ]);
  });

  it("finds bridges and taps that are not there", async () => {
    expect(await look({ networks: [{ id: "n", bridge: "nobr0", vhost: false }] })).toContain(
      "HOST_BRIDGE networks: there is no bridge nobr0",
    );
    expect(await look({ networks: [{ id: "n", tap: "notap0", vhost: false }] })).toContain(
      "HOST_BRIDGE networks: there is no tap device notap0",
    );
    expect(await look({ networks: [{ id: "n", tap: "lo", vhost: false }] })).toContain(
      "HOST_BRIDGE networks: lo is no tap device",
    );
  });

  it("finds devices that this QEMU does not have", async () => {
    const change = (plan: Plan): Plan => ({
      ...plan,
      options: [
        ...plan.options,
        { option: "device", driver: "no-such-device", id: "x", properties: {}, because: ["devices.x"] },
        { option: "object", qomType: "no-such-object", id: "y", properties: {}, because: ["devices.y"] },
      ],
    });
    expect(await look({}, change)).toEqual([
      expect.stringMatching(
        /^QEMU_FEATURE : QEMU \d.*has no device no-such-device, which devices.x asks for$/,
      ),
      expect.stringMatching(/has no object no-such-object, which devices.y asks for$/),
    ]);
  });

  it("finds what the user that QEMU runs as may not do", async ({ skip }) => {
    if (!isRoot) skip("needs root, to become another user");
    writeFileSync(file("raw"), Buffer.alloc(1024 * 1024), { mode: 0o600 });
    const sandbox = { user: "nobody", groups: ["no-such-group"] };
    expect(await look({ sandbox })).toEqual([
      "HOST_SANDBOX sandbox.user: there is no group no-such-group on this host",
    ]);
    chmodSync(rig.root, 0o700);
    const problems = await look({ sandbox: { user: "nobody" }, ...disk(file("raw")) });
    expect(problems).toEqual([
      `HOST_FILE_MISSING disks.0.file: disk d: user 65534 may not write ${file("raw")}`,
      `HOST_SANDBOX sandbox.user: user 65534 may not enter ${rig.root}, which holds the run directory`,
    ]);
    chmodSync(rig.root, 0o711);
    chmodSync(file("raw"), 0o666);
    expect(await look({ sandbox: { user: "nobody" }, ...disk(file("raw")) })).toEqual([]);
  });

  const image = async (...words: string[]) => {
    const { exitCode, stderr } = await rig.system.processes.run("qemu-img", words);
    expect(exitCode, stderr).toBe(0);
  };
});
