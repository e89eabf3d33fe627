import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LiveMemoryDevice } from "../../src/hotplug/index.ts";
import type { Operation } from "../../src/hotplug/operation.ts";
import { type Cli, openCli } from "../rig/cli.ts";
import { changedProfile } from "../rig/live.ts";
import { type LiveDevices, liveDevices } from "../rig/live-devices.ts";
import { bootProbe } from "../rig/probe.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const profile = new URL("profiles/live-devices.json", import.meta.url).pathname;
const name = "live-memory";
const mebibyte = 2 ** 20;

/** The guest is the judge: it says how much memory each of its nodes has. */
describe.each(qemuPrograms)("memory comes and goes on %s", (qemu) => {
  let cli: Cli;
  let vm: LiveDevices;
  let image: string;

  beforeAll(async () => {
    cli = openCli(qemu);
    vm = liveDevices(cli, name);
    image = join(cli.root, ".pmem.img");
    writeFileSync(image, "");
    truncateSync(image, 256 * mebibyte);
    await boot();
  });
  afterAll(() => cli.close());

  const memory = {
    size: "384M",
    max: "200G",
    slots: 4,
    devices: [{ id: "first", size: "128M", cell: 0 }],
  };
  const boot = () => bootProbe(cli, changedProfile(cli, profile, { name, memory }), name);

  const list = async (): Promise<LiveMemoryDevice[]> =>
    JSON.parse(await cli.ok("memory", "list", name, "--json"));
  const operations = async (): Promise<Operation[]> => JSON.parse(await cli.ok("ops", name, "--json"));
  const transcript = () => readFileSync(join(cli.root, name, "qmp.log"), "utf8");
  const nodesMib = async () => (await vm.report()).nodes.map(({ memoryKiB }) => Math.floor(memoryKiB / 1024));

  /** Runs a command that is refused, and sees that nothing changed. */
  const refuse = async (...arguments_: string[]) => {
    const before = { census: await vm.census(), operations: (await operations()).length };
    const { exitCode, stdout } = await cli.run("memory", ...arguments_, "--json");
    expect({ census: await vm.census(), operations: (await operations()).length }).toEqual(before);
    const last = stdout.trim().split("\n").at(-1) ?? "";
    const { diagnostics } = JSON.parse(stdout.startsWith("{\n") ? stdout : last);
    return { exitCode, codes: diagnostics.map(({ code }: { code: string }) => code) };
  };

  it("has what the profile put in at the start", async () => {
    expect((await list()).map(({ id, cell, hotplugged }) => [id, cell, hotplugged])).toEqual([
      ["first", 0, false],
    ]);
    expect(await vm.memoryMib()).toBe(512);
    // Like any DIMM it is the guest's to bring online.
    const [before = 0] = await nodesMib();
    await vm.online();
    expect((await nodesMib())[0]).toBe(before + 128);
  });

  const add = (...arguments_: string[]) => ["add", name, ...arguments_];
  it.each([
    [add("--size", "3M"), 2, ["MEMORY_ALIGNMENT"]],
    [add("--size", "some"), 2, ["USAGE"]],
    [add("--size", "128M", "--page-size", "3M"), 2, ["MEMORY_ALIGNMENT"]],
    [add("--size", "128M", "--page-size", "1G"), 2, ["MEMORY_ALIGNMENT", "HOST_HUGEPAGES_SHORT"]],
    [add("--size", "64G", "--page-size", "2M"), 1, ["HOST_HUGEPAGES_SHORT"]],
    [add("--size", "64G"), 1, ["HOST_MEMORY_SHORT"]],
    [add("--size", "200G"), 1, ["LIVE_MEMORY_ROOM", "HOST_MEMORY_SHORT"]],
    [add("--size", "128M", "--cell", "3"), 2, ["ID_UNKNOWN"]],
    [add("--size", "128M", "--id", "first"), 1, ["LIVE_ID_IN_USE"]],
    [add("--size", "128M", "--id", "near0"), 1, ["LIVE_ID_IN_USE"]],
    [add("--size", "128M", "--id", "1st"), 2, ["USAGE"]],
    [add("--size", "128M", "--kind", "nvdimm"), 2, ["MEMORY_DEVICE"]],
    [add("--size", "128M", "--kind", "nvdimm", "--path", "/nowhere"), 1, ["HOST_FILE_MISSING"]],
    [add("--size", "128M", "--kind", "virtio-mem", "--bus", "near9"), 1, ["LIVE_PORT"]],
    [["remove", name, "fist"], 1, ["LIVE_ID_UNKNOWN"]],
    [["resize", name, "first", "64M"], 2, ["LIVE_DEVICE_KIND"]],
    [["list", "other"], 1, ["VM_UNKNOWN"]],
  ])("refuses %j, and changes nothing", async (wish, exitCode, codes) => {
    // A host without huge pages of that size says so instead.
    const told = await refuse(...wish);
    const normal = told.codes.map((code: string) =>
      code === "HOST_HUGEPAGE_SIZE" ? "HOST_HUGEPAGES_SHORT" : code,
    );
    expect({ exitCode: told.exitCode, codes: normal }).toEqual({ exitCode, codes });
  });

  it("says which one was meant", async () => {
    const { stderr } = await cli.run("memory", "remove", name, "fist");
    expect(stderr).toContain('did you mean "first"?');
  });

  it("puts a DIMM on each cell, bound and read back", async () => {
    const said = await cli.ok("memory", "add", name, "--size", "256M", "--cell", "1");
    expect(said).toContain("live-memory has dimm0: dimm of 256 MiB on cell 1, bind host node 0");
    expect(said).toContain("memhp_default_state=online_movable");
    expect(await vm.memoryMib()).toBe(768);
    const before = transcript().length;
    await cli.ok("memory", "add", name, "--size", "128M", "--cell", "2");
    // No more than it needs to know: each question takes QEMU a turn.
    const sent = [
      ...transcript()
        .slice(before)
        .matchAll(/ > \{"execute":"([^"]+)"/g),
    ];
    expect(new Set(sent.map(([, command]) => command))).toEqual(
      new Set([
        "qmp_capabilities",
        "qom-list",
        "query-memory-devices",
        "object-add",
        "device_add",
        // Whether the agent of this guest listens.
        "query-chardev",
      ]),
    );
    expect(await vm.memoryMib()).toBe(896);
    expect(await list()).toMatchObject([
      { id: "first", cell: 0, policy: "bind", hostNodes: [0] },
      { id: "dimm0", kind: "dimm", cell: 1, sizeBytes: 256 * mebibyte, policy: "bind", hostNodes: [0] },
      { id: "dimm1", kind: "dimm", cell: 2, sizeBytes: 128 * mebibyte, hotplugged: true },
    ]);
    expect(
      (await operations()).map(({ kind, history }) => [kind, history.map(({ state }) => state)]),
    ).toEqual([1, 2].map(() => ["memory-add", ["requested", "placed", "accepted", "done"]]));
  });

  it("is seen by the guest on those nodes", async () => {
    const before = await nodesMib();
    await vm.online();
    const after = await nodesMib();
    expect(after.map((mib, node) => mib - (before[node] ?? 0))).toEqual([0, 256, 128]);
  });

  it("warns of a size that Linux cannot use, and of no other", async () => {
    const { stderr } = await cli.run("memory", "add", name, "--size", "130M", "--id", "odd");
    expect(stderr).toContain("Linux adds memory in blocks of 128 MiB");
    await cli.ok("memory", "remove", name, "odd");
  });

  it("takes a DIMM out when the guest lets go of it", async () => {
    expect(await cli.ok("memory", "remove", name, "dimm1")).toContain("live-memory has dimm1 no more");
    const { objects, memory } = await vm.census();
    expect(memory).toEqual(["dimm0", "first"]);
    expect(objects).not.toContain("ram-dimm1");
    expect(await vm.memoryMib()).toBe(768);
    expect((await nodesMib())[2]).toBeLessThan(128);
  });

  it("keeps a DIMM that the guest does not let go of, and says why", async () => {
    await cli.ok("memory", "add", name, "--size", "128M", "--cell", "2", "--id", "stuck");
    // Memory for the kernel itself, with things in it that cannot move.
    const written = await vm.run(
      "n=0; while [ $n -lt 50 ]; do for f in /sys/devices/system/memory/memory*/state; do read -r s <$f; [ $s = offline ] && echo online_kernel >$f && exit 0; done; n=$((n + 1)); sleep 0.1; done; exit 1",
    );
    expect(written).toBe("");
    await vm.run("mkdir /tmp/d; cd /tmp/d; taskset 4 mkdir $(seq 1 3000)");
    const { exitCode, stderr } = await cli.run("memory", "remove", name, "stuck", "--timeout", "20");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/LIVE_GUEST_REFUSED|VM_TIMEOUT/);
    expect((await vm.census()).memory).toContain("stuck");
    expect((await vm.census()).objects).toContain("ram-stuck");
  });

  it("grows and shrinks a virtio-mem device", async () => {
    const sizeOf = async () => (await list()).find(({ id }) => id === "vmem0");
    await cli.ok(
      "memory",
      "add",
      name,
      "--kind",
      "virtio-mem",
      "--size",
      "512M",
      "--requested",
      "0",
      "--cell",
      "1",
    );
    expect(await sizeOf()).toMatchObject({ sizeBytes: 0, maxBytes: 512 * mebibyte, cell: 1 });
    // The guest loads its driver when it reports.
    await vm.report();
    await cli.ok("memory", "resize", name, "vmem0", "256M");
    expect(await sizeOf()).toMatchObject({ sizeBytes: 256 * mebibyte });
    expect(await vm.memoryMib()).toBe(896 + 256);
    await vm.online();
    expect((await refuse("remove", name, "vmem0")).codes).toEqual(["LIVE_NOT_REMOVABLE"]);
    expect((await refuse("resize", name, "vmem0", "1M")).codes).toEqual(["MEMORY_ALIGNMENT"]);
    expect((await refuse("resize", name, "vmem0", "1G")).codes).toEqual(["LIVE_MEMORY_ROOM"]);
    await cli.ok("memory", "resize", name, "vmem0", "0");
    expect(await sizeOf()).toMatchObject({ sizeBytes: 0 });
    expect(await vm.memoryMib()).toBe(896);
  });

  it("gives the guest an NVDIMM, for good", async () => {
    await cli.ok(
      "memory",
      "add",
      name,
      "--kind",
      "nvdimm",
      "--path",
      image,
      "--size",
      "256M",
      "--label-size",
      "128K",
    );
    expect((await list()).find(({ id }) => id === "nvdimm0")).toMatchObject({ kind: "nvdimm", cell: 0 });
    // Persistent memory is none that the guest runs in.
    expect(await vm.memoryMib()).toBe(896);
    expect((await refuse("remove", name, "nvdimm0")).codes).toEqual(["LIVE_NOT_REMOVABLE"]);
    expect((await refuse("add", name, "--size", "128M")).codes).toEqual(["LIVE_MEMORY_ROOM"]);
  });

  it("is as it was after a reset", { retry: 3 }, async () => {
    // QEMU without KVM now and then dies of a reset (iotlb_to_section): the next try has a new one.
    const before = await list().catch(async () => {
      console.warn(`${name} did not live through its reset; it is started once more`);
      await boot();
      await cli.ok("memory", "add", name, "--size", "128M", "--cell", "1");
      return list();
    });
    await cli.ok("reset", name);
    const { nodes } = await vm.report();
    expect(await list()).toEqual(before);
    expect(nodes).toHaveLength(3);
    const drift: { what: string; operation?: string }[] = JSON.parse(
      await cli.ok("info", name, "--drift", "--json"),
    );
    expect(drift.filter(({ operation }) => operation === undefined)).toEqual([]);
  });

  it("is brought online by the guest agent, where the profile says so", async () => {
    const agent = "live-memory-agent";
    const other = liveDevices(cli, agent);
    const { kernel } = JSON.parse(readFileSync(changedProfile(cli, profile, {}), "utf8"));
    const changes = {
      name: agent,
      guestAgent: { enabled: true, online: true },
      kernel: { ...kernel, cmdline: `${kernel.cmdline} probe.agent` },
    };
    await bootProbe(cli, changedProfile(cli, profile, changes), agent);
    const answers = async () => (await other.run("pidof qemu-ga")) !== "";
    await expect.poll(answers, { timeout: 60_000, interval: 500 }).toBe(true);
    const said = await cli.ok("memory", "add", agent, "--size", "256M", "--cell", "2");
    expect(said).toContain("the guest runs 640 MiB");
    expect((await other.report()).memoryBlocks).toMatchObject({ online: 5, offline: 0 });
    const [operation]: Operation[] = JSON.parse(await cli.ok("ops", agent, "--json"));
    expect(operation?.history.map(({ state }) => state)).toContain("online");
    await cli.ok("down", agent, "--force");
  });
});
