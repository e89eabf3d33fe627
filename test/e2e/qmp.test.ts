import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import {
  connectQmp,
  type QmpClientOptions,
  QmpCommandError,
  QmpDisconnectedError,
} from "../../src/qmp/index.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

/** The QEMUs to test with: a colon-separated list of programs. */
const q35 = ["-machine", "q35", "-accel", "tcg", "-m", "64M"];
const started = new Set<ChildProcess>();

/** A stopped QEMU whose monitor is an inherited socket pair. */
function startQemu(binary: string, ...argv: readonly string[]) {
  const monitor = ["-chardev", "socket,id=qmp0,fd=3", "-qmp", "chardev:qmp0"];
  const common = ["-display", "none", "-nodefaults", "-no-user-config", "-S", ...monitor];
  const child = spawn(binary, [...argv, ...common], { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  started.add(child);
  let stderr = "";
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const exit = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      started.delete(child);
      resolve(code ?? signal);
    });
  });
  exit.catch(() => {});
  return { child, exit, transport: child.stdio[3] as Duplex, stderr: () => stderr };
}

async function connectedQemu(binary: string, argv: readonly string[], options: QmpClientOptions = {}) {
  const qemu = startQemu(binary, ...argv);
  const logged: string[] = [];
  const connecting = connectQmp(qemu.transport, { log: (message) => logged.push(message), ...options });
  const client = await Promise.race([connecting, qemu.exit.then(() => connecting)]);
  return { ...qemu, client, logged };
}

afterEach(() => {
  for (const child of started) child.kill("SIGKILL");
});

describe.each(qemuPrograms)("QMP with %s", (binary) => {
  test("greets, negotiates, answers and quits", async () => {
    const { client, exit, logged } = await connectedQemu(binary, ["-machine", "none"]);
    const { version } = await client.ready;
    expect(await client.execute("query-version")).toEqual(version);
    expect(await client.execute("query-status")).toMatchObject({ running: false, status: "prelaunch" });
    expect(await client.execute("quit")).toEqual({});
    expect(await exit).toBe(0);
    expect(await client.closed).toMatchObject({ reason: "closed-by-peer" });
    expect(logged).toEqual([]);
  });

  test("tells the threads of its vCPUs", async () => {
    const { child, client } = await connectedQemu(binary, [...q35, "-smp", "3"]);
    const cpus = await client.execute("query-cpus-fast");
    expect(cpus.map((cpu) => cpu["cpu-index"])).toEqual([0, 1, 2]);
    for (const cpu of cpus) {
      expect(existsSync(`/proc/${child.pid}/task/${cpu["thread-id"]}`)).toBe(true);
    }
    await client.execute("quit");
  });

  test("answers many commands at once, each to its caller, an empty text among them", async () => {
    const { client } = await connectedQemu(binary, [...q35]);
    const types = ["pcie-root-port", "virtio-net-pci", "nvme", "pxb-pcie"];
    const [status, text, unknown, ...properties] = await Promise.all([
      client.execute("query-status"),
      client.execute("human-monitor-command", { "command-line": "cpu 0" }),
      client.execute("device-list-properties", { typename: "no-such-device" }).catch((error) => error),
      ...types.map((typename) => client.execute("device-list-properties", { typename })),
    ]);
    expect(status.status).toBe("prelaunch");
    expect(text).toBe("");
    expect(unknown).toBeInstanceOf(QmpCommandError);
    const names = properties.map((list) => list.map((property) => property.name));
    expect(names[0]).toContain("chassis");
    expect(names[1]).toContain("mac");
    expect(names[2]).toContain("serial");
    expect(names[3]).toContain("bus_nr");
    await client.execute("quit");
  });

  test("keeps the class and the words of an error", async () => {
    const { client } = await connectedQemu(binary, [...q35]);
    await expect(client.execute("device_del", { id: "gpu0" })).rejects.toMatchObject({
      class: "DeviceNotFound",
      desc: "Device 'gpu0' not found",
    });
    await expect(client.executeRaw("device_tickle")).rejects.toMatchObject({ class: "CommandNotFound" });
    await expect(client.execute("stop", {}, { timeoutMs: 5000 })).resolves.toEqual({});
    await expect(client.executeRaw("\ud800")).rejects.toMatchObject({ class: "GenericError" });
    await client.execute("quit");
  });

  test("adds a device and tells when it is gone", async () => {
    const { client } = await connectedQemu(binary, [...q35, "-device", "pcie-root-port,id=rp0,chassis=1"]);
    await client.execute("object-add", { "qom-type": "rng-builtin", id: "rng0" });
    const device = { driver: "virtio-rng-pci", id: "dev0", bus: "rp0", rng: "rng0", addr: "0x0" };
    await client.execute("device_add", device);
    const peripherals = await client.execute("qom-list", { path: "/machine/peripheral" });
    expect(peripherals.map((each) => each.name)).toContain("dev0");
    const [bus] = await client.execute("query-pci");
    const port = bus?.devices.find((each) => each.qdev_id === "rp0");
    expect(port?.pci_bridge?.bus.secondary).toBe(0);

    // A reset completes what no guest is there to complete.
    const listener = client.listen(["DEVICE_DELETED"], (event) => event.data.device === "dev0");
    await client.execute("device_del", { id: "dev0" });
    await client.execute("system_reset");
    expect(await listener.next({ timeoutMs: 20_000 })).toMatchObject({
      data: { device: "dev0", path: "/machine/peripheral/dev0" },
    });
    listener.close();
    await client.execute("object-del", { id: "rng0" });
    await client.execute("quit");
  });

  test("runs, stops and shuts down with the events of each", async () => {
    const { client } = await connectedQemu(binary, [...q35]);
    const listener = client.listen(["RESUME", "STOP", "SHUTDOWN"]);
    await client.execute("cont");
    expect(await listener.next({ timeoutMs: 20_000 })).toMatchObject({ event: "RESUME" });
    await client.execute("stop");
    expect(await listener.next({ timeoutMs: 20_000 })).toMatchObject({ event: "STOP" });
    await client.execute("quit");
    await client.closed;
    expect(await listener.next()).toMatchObject({
      event: "SHUTDOWN",
      data: { guest: false, reason: "host-qmp-quit" },
    });
  });

  test("takes commands out of band", async () => {
    const { client } = await connectedQemu(binary, ["-machine", "none"], { capabilities: ["oob"] });
    expect(await client.executeOob("query-yank")).toEqual(expect.any(Array));
    await expect(client.executeOob("query-status")).rejects.toThrow(QmpCommandError);
    await client.execute("quit");
  });

  test("a killed QEMU fails all that is under way", async () => {
    const { child, client, exit } = await connectedQemu(binary, ["-machine", "none"]);
    const listener = client.listen();
    child.kill("SIGSTOP");
    const calls = [
      client.execute("query-status"),
      client.execute("cont", {}, { timeoutMs: 0 }),
      listener.next(),
    ];
    const outcomes = Promise.allSettled(calls);
    child.kill("SIGKILL");
    expect(await exit).toBe("SIGKILL");
    for (const outcome of await outcomes) {
      expect(outcome.status === "rejected" && outcome.reason).toBeInstanceOf(QmpDisconnectedError);
    }
  });

  test("a QEMU that refuses its arguments ends the connect", async () => {
    const { transport, exit, stderr } = startQemu(binary, ...q35, "-device", "no-such-device");
    await expect(connectQmp(transport)).rejects.toMatchObject({
      name: "QmpDisconnectedError",
      reason: "closed-by-peer",
    });
    expect(await exit).toBe(1);
    expect(stderr()).toContain("no-such-device");
  });

  test("closing leaves QEMU running", async () => {
    const { child, client } = await connectedQemu(binary, ["-machine", "none"]);
    await client.close();
    expect(child.exitCode).toBeNull();
    expect(await client.closed).toMatchObject({ reason: "closed-here" });
  });

  test("says of itself what is recorded of it", async () => {
    const root = fileURLToPath(new URL("../..", import.meta.url));
    const script = `${root}scripts/record-qmp-schema.mjs`;
    const now = JSON.parse(execFileSync(process.execPath, [script, binary], { encoding: "utf8" }));
    const { major, minor } = now.qemu.qemu;
    const file = `${root}test/qmp/schemas/${major}.${minor}.json`;
    if (!existsSync(file))
      throw new Error(`record it: node scripts/record-qmp-schema.mjs ${binary} > ${file}`);
    const { qemu: _, ...recorded } = JSON.parse(readFileSync(file, "utf8"));
    expect(now).toMatchObject(recorded);
  });
});
