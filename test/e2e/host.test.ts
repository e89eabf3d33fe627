import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { askQemu, QemuSilent } from "../../src/host/ask-qemu.ts";
import { discoverHost, type QemuFacts } from "../../src/host/index.ts";
import { tryAccelerator } from "../../src/host/kvm.ts";
import { type Exit, realSystem } from "../../src/system/index.ts";
import { withVirtualization, workshop } from "../host/workshop.ts";

const qemus = (process.env.QLAUNCH_TEST_QEMU ?? "qemu-system-x86_64").split(":").filter(Boolean);
const recorded: QemuFacts = JSON.parse(
  readFileSync(new URL("../hosts/sources/qemu-7.2.json", import.meta.url), "utf8"),
);

/** Ids of running processes whose command line has this text. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter(
    (id) => /^\d+$/.test(id) && realSystem.files.tryReadText(`/proc/${id}/cmdline`)?.includes(text),
  );
}

describe.each(qemus)("%s", (qemu) => {
  it("says what it is and can do", async () => {
    const { system } = workshop();
    const { qemu: facts } = await discoverHost(system, { qemu, need: { qemu: "required" } });
    if (facts === undefined) throw new Error("no facts");
    const { major, minor, micro } = facts.version;
    const told = execFileSync(facts.binary, ["--version"], { encoding: "utf8" });
    expect(told).toContain(`version ${major}.${minor}.${micro}`);
    expect(told).toContain(facts.version.package);
    expect(facts.machines.find((machine) => machine.alias === "q35")?.name).toMatch(/^pc-q35-\d/);
    expect(facts.devices).toEqual(expect.arrayContaining(["pxb-pcie", "pcie-root-port", "virtio-net-pci"]));
    expect(facts.devices.filter((name) => name.endsWith("-x86_64-cpu"))).toEqual([]);
    expect(facts.objects).toEqual(expect.arrayContaining(["memory-backend-memfd", "thread-context"]));
    expect(facts.commands).toEqual(expect.arrayContaining(["device_add", "query-cpus-fast"]));
    expect(facts.events).toEqual(expect.arrayContaining(["DEVICE_DELETED", "SHUTDOWN"]));
    expect(facts.cpuModels).toEqual(expect.arrayContaining(["host", "max", "Skylake-Server"]));
  });

  it("is asked once, then remembered", async () => {
    const { system, folder } = workshop();
    const first = await discoverHost(system, { qemu, need: { qemu: "required" } });
    const [name = ""] = readdirSync(join(folder, "cache/qlaunch/qemu"));
    expect(name).toMatch(/^[0-9a-f]{16}\.json$/);
    const again = await discoverHost(system, { qemu, need: { qemu: "required" }, mayStart: false });
    expect(again.qemu).toEqual(first.qemu);
  });

  it("is seen to run a guest where it can: TCG always", async () => {
    expect(await tryAccelerator(realSystem, qemu, "tcg")).toBeUndefined();
  });

  it("is heard when it refuses", async () => {
    const machine = ["-machine", "no-such-machine", "-S"];
    const answer = askQemu(realSystem, qemu, machine, async () => "never");
    await expect(answer).rejects.toThrow(QemuSilent);
    await expect(answer).rejects.toThrow(/[Uu]nsupported machine type/);
  });

  it("is gone after an answer, and after a question that failed", async () => {
    const exits: Promise<Exit>[] = [];
    const { processes } = realSystem;
    const start: typeof processes.start = async (...call) => {
      const started = await processes.start(...call);
      exits.push(started.exited);
      return started;
    };
    const system = { ...realSystem, processes: { ...processes, start } };
    const ask = (question: () => Promise<unknown>) =>
      askQemu(system, qemu, ["-machine", "none", "-S"], question);
    await ask(async () => "answered");
    await expect(ask(() => Promise.reject(new Error("our own")))).rejects.toThrow("our own");
    // 137 would be the watchdog's work: QEMU is to end when told to, and both times does so with 0.
    expect(await Promise.all(exits)).toEqual([
      { exitCode: 0, signal: undefined },
      { exitCode: 0, signal: undefined },
    ]);
  });

  it("runs below a watchdog that outlives us", async () => {
    const mark = `watched-${process.pid}`;
    await askQemu(realSystem, qemu, ["-machine", "none", "-S", "-name", mark], async () => {
      const programs = processesWith(mark).map((id) => readFileSync(`/proc/${id}/comm`, "utf8").trim());
      expect(programs).toContain("timeout");
      expect(programs.length).toBeGreaterThanOrEqual(2);
    });
    expect(processesWith(mark)).toEqual([]);
  });

  it("is tried with KVM once a boot", async () => {
    const { system, program } = workshop();
    // Where no KVM is, TCG stands for it behind QEMU's own command line.
    const standIn = program(
      "qemu",
      `for word; do
        shift
        case $word in *,accel=kvm) word=q35,accel=tcg ;; host) word=max ;; esac
        set -- "$@" "$word"
      done
      exec ${qemu} "$@"`,
    );
    const look = (bootId: string, mayStart: boolean) =>
      discoverHost(withVirtualization(system, bootId), { qemu: standIn, need: { kvm: true }, mayStart });
    expect((await look("monday", false)).kvm.usable).toBe(false);
    expect((await look("monday", true)).kvm).toEqual({ usable: true, reason: "" });
    expect((await look("monday", false)).kvm).toEqual({ usable: true, reason: "" });
    expect((await look("tuesday", false)).kvm.usable).toBe(false);
  });

  it.each([
    [
      "stays at the reset vector",
      [0xeb, 0xfe],
      /^QEMU starts a guest with it, and its firmware gets nowhere/,
    ],
    ["runs garbage", [0x0f, 0x0f], /^QEMU starts a guest with it, and its firmware gets nowhere/],
    // An interrupt table of no length, then an invalid instruction: a triple fault.
    [
      "crashes",
      [0x0f, 0x01, 0x1e, 0, 0, 0x0f, 0x0b],
      /^QEMU (does not run a guest|starts a guest with it, and the guest stops at once)/,
    ],
  ])("is not believed when the vCPU %s", async (_, instructions, reason) => {
    const { system, folder, program } = workshop();
    const firmware = Buffer.alloc(65_536);
    firmware.set(instructions, 0xfff0);
    writeFileSync(join(folder, "firmware.bin"), firmware);
    const misled = program("qemu", `exec ${qemu} "$@" -bios ${folder}/firmware.bin`);
    expect(await tryAccelerator(system, misled, "tcg", 500)).toMatch(reason);
  });

  it("runs a guest with the KVM of this machine, if it has one", async ({ skip }) => {
    const { system } = workshop();
    const { kvm } = await discoverHost(system, { qemu, need: { kvm: true } });
    if (!kvm.usable) {
      console.log(`KVM cannot be used here: ${kvm.reason}`);
      skip(kvm.reason);
    }
    expect(kvm.reason).toBe("");
  });

  it("is what the recorded hosts say", async ({ skip }) => {
    const { system } = workshop();
    const { qemu: facts } = await discoverHost(system, { qemu, need: { qemu: "required" } });
    const here = facts?.version.package;
    if (here !== recorded.version.package) {
      const reason = `the recorded hosts have ${recorded.version.package}, this is ${here}`;
      console.log(reason);
      skip(reason);
    }
    expect({ ...facts, binary: recorded.binary }).toEqual(recorded);
  });
});
