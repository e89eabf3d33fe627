import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addVmDevice, type DeviceRequest, removeDevice } from "../../src/actions/live-devices.ts";
import { addMemoryDevice, removeMemory } from "../../src/actions/live-memory.ts";
import { success } from "../../src/errors/index.ts";
import { addDevice, type LiveDevice } from "../../src/hotplug/index.ts";
import type { Operation } from "../../src/hotplug/operation.ts";
import type { QemuOption } from "../../src/plan/index.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { changedProfile } from "../rig/live.ts";
import { type Census, type LiveDevices, liveDevices } from "../rig/live-devices.ts";
import { bootProbe } from "../rig/probe.ts";
import { programFor } from "../rig/program.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/live-devices.json", import.meta.url).pathname;
const name = "live-devices";
const mebibyte = 2 ** 20;
/** Each round adds and removes three DIMMs, a disk and a network. */
const rounds = 20;

/** The guest is the judge: it lists its disks and networks, and the nodes that they are on. */
describe.each(qemuPrograms)("devices come and go on %s", (qemu) => {
  let cli: Cli;
  let vm: LiveDevices;
  let image: string;

  beforeAll(async () => {
    cli = openCli(qemu);
    vm = liveDevices(cli, name);
    image = join(cli.root, ".disk.img");
    for (const file of [image, `${image}2`, `${image}3`]) {
      writeFileSync(file, "");
      truncateSync(file, 32 * mebibyte);
    }
    await bootProbe(cli, changedProfile(cli, profile, { name }), name);
  });
  afterAll(() => cli.close());

  const list = async (): Promise<LiveDevice[]> => JSON.parse(await cli.ok("device", "list", name, "--json"));
  const find = async (id: string) => (await list()).find((device) => device.id === id);
  const operations = async (): Promise<Operation[]> => JSON.parse(await cli.ok("ops", name, "--json"));
  const disk = (more: object = {}) => JSON.stringify({ file: image, format: "raw", ...more });

  /** Runs a command that is refused, and sees that nothing changed. */
  const refuse = async (...arguments_: string[]) => {
    const before = { census: await vm.census(), operations: (await operations()).length };
    const { exitCode, stdout } = await cli.run("device", ...arguments_, "--json");
    expect({ census: await vm.census(), operations: (await operations()).length }).toEqual(before);
    const { diagnostics } = JSON.parse(stdout);
    return { exitCode, codes: diagnostics.map(({ code }: { code: string }) => code) };
  };

  const add = (...arguments_: string[]) => ["add", name, ...arguments_];
  it.each([
    [add(), 2, ["USAGE"]],
    [add("--disk", "{"), 2, ["PROFILE_SYNTAX"]],
    [add("--disk", '{"fil": "a", "format": "raw"}'), 2, ["PROFILE_UNKNOWN_KEY"]],
    [add("--disk", '{"file": "/nowhere", "format": "raw"}'), 1, ["HOST_FILE_MISSING"]],
    [add("--disk", '{"file": "/nowhere", "format": "raw", "device": "sata"}'), 2, ["LIVE_DEVICE_KIND"]],
    [add("--disk", '{"file": "/nowhere", "format": "raw", "boot": 1}'), 2, ["LIVE_DEVICE_KIND"]],
    [add("--disk", '{"file": "/nowhere", "format": "raw", "iothread": "io"}'), 2, ["ID_UNKNOWN"]],
    [add("--disk", '{"id": "a", "file": "/nowhere", "format": "raw"}', "--id", "b"), 2, ["USAGE"]],
    [add("--nic", "{}"), 2, ["NETWORK_COMBINATION"]],
    [add("--nic", '{"tap": "no-such-tap"}'), 1, ["HOST_BRIDGE"]],
    [add("--nic", '{"bridge": "br0"}'), 2, ["LIVE_DEVICE_KIND"]],
    [add("--nic", '{"id": "rng0", "user": {}}'), 1, ["LIVE_ID_IN_USE"]],
    [add("--nic", '{"user": {}, "bus": "near9"}'), 1, ["LIVE_PORT"]],
    [add("--nic", '{"user": {}}', "--bus", "rp-rng0"), 1, ["LIVE_PORT"]],
    [add("--nic", '{"user": {}}', "--numa-cell", "2"), 1, ["LIVE_PORT"]],
    [add("{}"), 2, ["USAGE"]],
    [add('{"driver": "no-such-device"}'), 2, ["LIVE_DEVICE_KIND"]],
    [["remove", name, "rng1"], 1, ["LIVE_ID_UNKNOWN"]],
    [["remove", name, "near0"], 1, ["LIVE_NOT_REMOVABLE"]],
    [["remove", name, "serial0"], 1, ["LIVE_NOT_REMOVABLE"]],
    [["remove", name, "vserial"], 1, ["LIVE_NOT_REMOVABLE"]],
  ])("refuses %j, and changes nothing", async (wish, exitCode, codes) => {
    expect(await refuse(...wish)).toEqual({ exitCode, codes });
  });

  it("shows what is wrong in the text of the argument", async () => {
    const { stderr } = await cli.run("device", "add", name, "--disk", '{"fil": "a", "format": "raws"}');
    expect(stderr).toContain('--disk:1:2 PROFILE_UNKNOWN_KEY "fil" is not a key of the disk');
    expect(stderr).toContain('did you mean "file"?');
    expect(stderr).toContain("--disk:1:24 PROFILE_VALUE");
  });

  it("puts a disk on a spare port, with its back ends", async () => {
    const said = await cli.ok("device", "add", name, "--disk", disk({ id: "data", serial: "S-1" }));
    expect(said).toContain("live-devices has data: virtio-blk-pci on spare0");
    expect((await vm.census()).blockNodes).toEqual(["data", "data.file"]);
    expect((await operations()).at(-1)).toMatchObject({ kind: "device-add", state: "done" });
    const { block } = await vm.report();
    expect(block).toMatchObject([{ serial: "S-1", sizeBytes: 32 * mebibyte }]);
    expect((await refuse("add", name, "--disk", disk({ id: "again" }))).codes).toEqual(["HOST_FILE_BUSY"]);
  });

  it("puts a network on a port of the cell", async () => {
    await cli.ok(
      "device",
      "add",
      name,
      "--nic",
      '{"id": "net1", "user": {"restrict": true}}',
      "--numa-cell",
      "1",
    );
    expect(await find("net1")).toMatchObject({
      driver: "virtio-net-pci",
      bus: "near0",
      cell: 1,
      planned: false,
    });
    // Native hot-plug: the guest waits five seconds before it switches the slot on.
    await expect
      .poll(async () => (await vm.report()).net.length, { timeout: 60_000, interval: 1000 })
      .toBe(1);
    const { net, pci } = await vm.report();
    expect(pci.find(({ address }) => address === net[0]?.pci)).toMatchObject({ numaNode: 1 });
  });

  it("passes on what QEMU alone knows, on the last free ports", async () => {
    await cli.ok("device", "add", name, '{"driver": "virtio-rng-pci", "id": "rng1"}');
    expect(await find("rng1")).toMatchObject({ bus: "spare1" });
    const { codes } = await refuse("add", name, '{"driver": "virtio-rng-pci"}');
    expect(codes).toEqual(["LIVE_PORT"]);
    const { stderr } = await cli.run("device", "add", name, '{"driver": "virtio-rng-pci"}');
    expect(stderr).toContain("name a free port with --bus: near1 (cell 1)");
    await cli.ok("device", "remove", name, "rng1");
  });

  it("undoes the back end that was made before one that QEMU refuses", async () => {
    const before = await vm.census();
    const broken = `${image}.qcow2`;
    writeFileSync(broken, Buffer.concat([Buffer.from("QFI\u00fb", "latin1"), Buffer.alloc(65_536)]));
    const json = JSON.stringify({ id: "bad", file: broken, format: "qcow2" });
    const { exitCode, stderr } = await cli.run("device", "add", name, "--disk", json);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("QEMU refused blockdev-add: Unsupported qcow2 version");
    expect(stderr).toContain("undone: add block node bad.file");
    expect(await vm.census()).toEqual(before);
    expect((await operations()).at(-1)).toMatchObject({ state: "undone", problem: { code: "QMP_ERROR" } });
  });

  it("undoes both back ends of a device that QEMU refuses", async () => {
    const before = await vm.census();
    const node = { option: "blockdev", because: [] } as const;
    const options: QemuOption[] = [
      { ...node, driver: "file", nodeName: "odd.file", properties: { filename: `${image}2` } },
      { ...node, driver: "raw", nodeName: "odd", properties: { file: "odd.file" } },
      {
        option: "device",
        driver: "virtio-blk-pci",
        id: "odd",
        properties: { bus: "spare1", addr: "0x0", drive: "odd", "no-such-property": 1 },
        because: [],
      },
    ];
    const planned = success({ id: "odd", options, files: [], taps: [], bridges: [], passthrough: [] });
    await expect(addDevice(vm.system, name, vm.options, async () => planned)).rejects.toThrow(
      /no-such-property/,
    );
    expect(await vm.census()).toEqual(before);
    expect((await operations()).at(-1)).toMatchObject({ state: "undone" });
  });

  it("puts SCSI disks on one controller", async () => {
    const scsi = (number: number) => disk({ device: "virtio-scsi", file: `${image}${number}` });
    await cli.ok("device", "add", name, "--disk", scsi(2));
    await cli.ok("device", "add", name, "--disk", scsi(3));
    expect(await find("disk0")).toMatchObject({ driver: "scsi-hd", bus: "scsi0" });
    expect(await find("disk1")).toMatchObject({ driver: "scsi-hd", bus: "scsi0" });
    expect((await refuse("remove", name, "scsi0")).codes).toEqual(["LIVE_NOT_REMOVABLE"]);
    expect((await vm.report()).block).toHaveLength(3);
    for (const id of ["disk0", "disk1", "scsi0"]) await cli.ok("device", "remove", name, id);
    expect((await vm.census()).blockNodes).toEqual(["data", "data.file"]);
  });

  it("takes them out with their back ends, and the guest sees them go", async () => {
    expect(await cli.ok("device", "remove", name, "data")).toContain("live-devices has data no more");
    await cli.ok("device", "remove", name, "net1");
    expect(await vm.census()).toMatchObject({ blockNodes: [], netdevs: [] });
    const { block, net } = await vm.report();
    expect({ block, net }).toEqual({ block: [], net: [] });
  });

  it("says that it asks already when it is asked again", async () => {
    await cli.ok("device", "add", name, '{"driver": "virtio-rng-pci", "id": "slow"}', "--numa-cell", "1");
    // The guest may be busy with the slot for five seconds, and takes five to give it up.
    await cli.ok("device", "remove", name, "slow", "--no-wait");
    const { exitCode, stderr } = await cli.run("device", "remove", name, "slow");
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/already|is done/);
    expect((await operations()).filter(({ request }) => request.id === "slow")).toHaveLength(2);
    expect(await find("slow")).toBeUndefined();
  });

  it("is whole or not there at all after its command was killed, twenty times at random moments", async () => {
    const present = async () => {
      const { memory, objects, devices, blockNodes } = await vm.census();
      return {
        memory: [memory.includes("k"), devices.includes("k"), objects.includes("ram-k")],
        disk: [devices.includes("kd"), blockNodes.includes("kd"), blockNodes.includes("kd.file")],
      };
    };
    const left: string[] = [];
    for (let kill = 0; kill < 20; kill++) {
      const { memory, disk: disks } = await present();
      const command =
        kill % 2 === 0
          ? memory[0]
            ? ["memory", "remove", name, "k"]
            : ["memory", "add", name, "--size", "128M", "--id", "k"]
          : disks[0]
            ? ["device", "remove", name, "kd"]
            : ["device", "add", name, "--disk", disk({ id: "kd" })];
      const afterMs = 150 + Math.random() * 250;
      const [program, ...script] = programFor(qemu);
      const child = execa(program, [...script, ...command], {
        env: { QLAUNCH_RUN_DIR: cli.root, QLAUNCH_QEMU: qemu },
        stdio: "ignore",
        reject: false,
      });
      await sleep(afterMs);
      child.kill("SIGKILL");
      await child;
      const operation = (await operations()).at(-1);
      left.push(`${operation?.kind} ${operation?.state} after ${Math.round(afterMs)} ms`);
      await cli.ok("ops", "resume", name);
      const now = await present();
      expect(new Set(now.memory).size, left.join("\n")).toBe(1);
      expect(new Set(now.disk).size, left.join("\n")).toBe(1);
      expect((await operations()).filter(({ worker }) => worker !== null)).toEqual([]);
    }
    const pending = (await operations()).filter(
      ({ state }) => !["done", "cancelled", "undone"].includes(state),
    );
    expect(pending, left.join("\n")).toEqual([]);
    const { memory, disk: disks } = await present();
    if (memory[0]) await cli.ok("memory", "remove", name, "k");
    if (disks[0]) await cli.ok("device", "remove", name, "kd");
    expect(await present()).toEqual({ memory: [false, false, false], disk: [false, false, false] });
  });

  it("says that a guest which has not booted cannot give anything up", async () => {
    const { kernel: _, ...bare } = JSON.parse(readFileSync(profile, "utf8"));
    const file = join(cli.root, ".unbooted.json");
    writeFileSync(file, JSON.stringify({ ...bare, name: "unbooted" }));
    await cli.ok("up", file);
    await cli.ok("device", "add", "unbooted", "--disk", disk({ id: "early" }));
    const { exitCode, stderr } = await cli.run("device", "remove", "unbooted", "early", "--timeout", "1");
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      "VM_TIMEOUT the guest of unbooted has not given up early (one that has not booted cannot)",
    );
    expect(await cli.ok("ops", "unbooted")).toContain("accepted (pending)");
    // A reset ends what was asked for; the next command finds it done.
    await cli.ok("reset", "unbooted");
    await cli.ok("ops", "resume", "unbooted");
    expect(await cli.ok("device", "list", "unbooted")).not.toContain("early");
    await cli.ok("pause", "unbooted");
    const paused = await cli.run("device", "remove", "unbooted", "rng0");
    expect(paused.stderr).toContain("VM_STATE the guest of unbooted does not run (paused)");
    await cli.ok("down", "unbooted", "--force");
  });

  it(`leaves nothing behind in ${rounds} rounds`, { timeout: 600_000 }, async () => {
    let first: Census | undefined;
    const { system, options } = vm;
    for (let round = 1; round <= rounds; round++) {
      for (const cell of [0, 1, 2]) {
        await addMemoryDevice(system, name, memoryRequest(cell), options);
        expect(await vm.memoryMib()).toBe(384 + 128 * (cell + 1));
      }
      await addVmDevice(system, name, deviceRequest({ disk: disk() }), options);
      await addVmDevice(system, name, deviceRequest({ nic: '{"user": {}}' }), options);
      const full = await vm.census();
      expect(full.memory).toEqual(["dimm0", "dimm1", "dimm2"]);
      expect([...full.blockNodes, ...full.netdevs]).toEqual(["disk0", "disk0.file", "net0-netdev"]);
      await vm.online();
      if (round === 1 || round === rounds) {
        const { memoryBlocks, block, net } = await vm.report();
        expect([memoryBlocks.online, block.length, net.length]).toEqual([6, 1, 1]);
      }
      for (const cell of [0, 1, 2]) {
        await removeMemory(system, name, `dimm${cell}`, options);
        expect(await vm.memoryMib()).toBe(384 + 128 * (2 - cell));
      }
      await removeDevice(system, name, "disk0", options);
      await removeDevice(system, name, "net0", options);
      const empty = await vm.census();
      first ??= empty;
      expect(empty).toEqual(first);
    }
    const { memoryBlocks, block, net } = await vm.report();
    expect([memoryBlocks, block.length, net.length]).toMatchObject([{ online: 3, offline: 0 }, 0, 0]);
    const drift = JSON.parse(await cli.ok("info", name, "--drift", "--json"));
    expect(drift).toEqual([]);
  });
});

function memoryRequest(cell: number) {
  return {
    size: "128M",
    cell: String(cell),
    kind: "dimm" as const,
    ...{ id: undefined, pageSize: undefined, requested: undefined, path: undefined },
    ...{ labelSize: undefined, align: undefined, bus: undefined, pmem: false, unarmed: false },
  };
}

function deviceRequest(changes: Partial<DeviceRequest>): DeviceRequest {
  return {
    ...{ disk: undefined, nic: undefined, object: undefined },
    ...{ id: undefined, bus: undefined, numaCell: undefined },
    ...changes,
  };
}
