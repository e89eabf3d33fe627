import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Event } from "../../src/events/event.ts";
import {
  attachConsole,
  executeQmp,
  followEvents,
  listVms,
  openVm,
  pauseVm,
  resetVm,
  resumeVm,
  stopVm,
} from "../../src/vm/index.ts";
import { echoGuest } from "../rig/echo-guest.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";
import { openRig, type Rig } from "../rig/vm.ts";

/** The firmware takes a moment. */
const boots = { timeout: 30_000 };

describe.each(qemuPrograms)("a running VM, with %s,", (qemu) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = openRig(qemu);
    await rig.launch({ name: "vm", ...echoGuest(join(rig.root, ".echo.img")) }, { paused: false });
  });
  afterEach(() => rig.close());

  const state = async () => (await listVms(rig.system))[0]?.state;

  it("is paused, resumed and reset", async () => {
    await pauseVm(rig.system, "vm");
    expect(await state()).toBe("paused");
    await pauseVm(rig.system, "vm");
    await resetVm(rig.system, "vm");
    expect(await state()).toBe("paused");
    await resumeVm(rig.system, "vm");
    expect(await state()).toBe("running");
  });

  it("answers any command, and QEMU's refusals keep their words", async () => {
    expect(await executeQmp(rig.system, "vm", "query-name")).toEqual({ name: "vm" });
    expect(await executeQmp(rig.system, "vm", "human-monitor-command", { "command-line": "info name" })).toBe(
      "vm\r\n",
    );
    await expect(executeQmp(rig.system, "vm", "device_del", { id: "none" })).rejects.toThrow(
      /QMP_ERROR: QEMU refused device_del: Device 'none' not found/,
    );
    await expect(executeQmp(rig.system, "vm", "no-such-command")).rejects.toThrow(/has not been found/);
  });

  it("waits for the command before, and says so when that does not end", async () => {
    const { qmp, plan, close } = await openVm(rig.system, "vm");
    expect(plan.name).toBe("vm");
    const second = executeQmp(rig.system, "vm", "query-status");
    await qmp.execute("query-status");
    await close();
    expect(await second).toMatchObject({ status: "running" });
    const holder = await openVm(rig.system, "vm");
    // /proc tells enough for a list.
    expect(await state()).toBe("running");
    await holder.close();
  });

  it("has its QMP traffic in a file of limited size", async () => {
    await executeQmp(rig.system, "vm", "query-name");
    const transcript = () => rig.system.files.readText(join(rig.root, "vm/qmp.log"));
    expect(transcript()).toMatch(/^20\S+ > \{"execute":"cont","id":\d+\}$/m);
    expect(transcript()).toContain('"query-name"');
    for (let count = 0; count < 3; count += 1) await executeQmp(rig.system, "vm", "query-qmp-schema");
    expect(
      Math.max(
        ...transcript()
          .split("\n")
          .map((line) => line.length),
      ),
    ).toBeLessThan(4200);
    appendFileSync(join(rig.root, "vm/qmp.log"), `${"x".repeat(99)}\n`.repeat(11_000));
    await executeQmp(rig.system, "vm", "query-name");
    expect(rig.system.files.facts(join(rig.root, "vm/qmp.log"))?.sizeBytes).toBeLessThan(600_000);
  });

  it("tells its events until it ends, and other commands find it free", async () => {
    const events: Event[] = [];
    let seen = (_: string) => {};
    const next = () =>
      new Promise<string>((resolve) => {
        seen = resolve;
      });
    const follow = followEvents(rig.system, "vm", {
      emit: (event) => {
        events.push(event);
        if (event.type === "qmp-event") seen(event.name);
      },
    });
    await expect
      .poll(async () => {
        const name = next();
        await pauseVm(rig.system, "vm");
        await resumeVm(rig.system, "vm");
        return name;
      })
      .toBe("STOP");
    await stopVm(rig.system, "vm", { force: true });
    await follow;
    expect(events.at(-1)).toMatchObject({ type: "qmp-event", name: "SHUTDOWN", data: { guest: false } });
  });

  it("stops telling events at the signal", async () => {
    const controller = new AbortController();
    const follow = followEvents(rig.system, "vm", { emit: () => {}, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await expect(follow).resolves.toBeUndefined();
    await executeQmp(rig.system, "vm", "query-status");
  });

  it("has a console that carries bytes both ways until the escape", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    let heard = "";
    output.on("data", (chunk) => {
      heard += chunk;
    });
    const session = attachConsole(rig.system, "vm", { input, output });
    await expect
      .poll(() => {
        input.write("echo ");
        return heard;
      }, boots)
      .toContain("echo echo");
    input.write("last words\x1dnot sent");
    expect(await session).toBe("escaped");
    const log = () => rig.system.files.readText(join(rig.root, "vm/qemu/serial0.log"));
    await expect.poll(log).toMatch(/R[\s\S]*last words$/);
  });

  it("powers its guest down", async () => {
    await expect
      .poll(() => rig.system.files.readText(join(rig.root, "vm/qemu/serial0.log")), boots)
      .toContain("R");
    expect((await stopVm(rig.system, "vm")).how).toBe("powered-down");
  });

  it("has one user of a console at a time", async () => {
    const streams = () => ({ input: new PassThrough(), output: new PassThrough() });
    const first = streams();
    const session = attachConsole(rig.system, "vm", first);
    const lock = join(rig.root, "vm/console-serial0.lock");
    await expect.poll(() => existsSync(lock) && readFileSync(lock, "utf8")).toMatch(/process \d+/);
    await expect(attachConsole(rig.system, "vm", streams())).rejects.toThrow(
      /VM_BUSY: console serial0 of vm is in use by process \d+/,
    );
    first.input.end();
    expect(await session).toBe("input-ended");
    const other = streams();
    const virtio = attachConsole(rig.system, "vm", { ...other, console: "virtio0" });
    await stopVm(rig.system, "vm", { force: true });
    expect(await virtio).toBe("closed");
  });

  it("has the consoles of its profile and no others", async () => {
    const streams = { input: new PassThrough(), output: new PassThrough() };
    await expect(attachConsole(rig.system, "vm", { ...streams, console: "serial9" })).rejects.toMatchObject({
      diagnostics: [{ code: "VM_CONSOLE", needed: "one of serial0, virtio0, agent" }],
    });
  });
});
