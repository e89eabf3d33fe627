import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { askQemu, QemuSilent } from "../../src/host/ask-qemu.ts";
import { discoverHost, type QemuFacts } from "../../src/host/index.ts";
import { tryAccelerator } from "../../src/host/kvm.ts";
import { realSystem } from "../../src/system/index.ts";
import { withVirtualization, workshop } from "../host/workshop.ts";
import { qemuPrograms } from "../rig/qemu-programs.ts";

const recorded: QemuFacts = JSON.parse(
  readFileSync(new URL("../hosts/sources/qemu-7.2.json", import.meta.url), "utf8"),
);

/** Ids of running processes whose command line has this text. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter(
    (id) => /^\d+$/.test(id) && realSystem.files.tryReadText(`/proc/${id}/cmdline`)?.includes(text),
  );
}

/** A killed process is listed until the kernel has taken it apart. */
const isGone = (mark: string) => vi.waitFor(() => expect(processesWith(mark)).toEqual([]));

describe.each(qemuPrograms)("%s", (qemu) => {
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
    expect(name).toMatch(/^qemu%20%2F[\w%.-]+\.json$/);
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

  it("is ended by us after an answer, and after a question that failed", async () => {
    const ended: number[] = [];
    const { processes } = realSystem;
    const signal: typeof processes.signal = (pid, name) => {
      ended.push(pid);
      return processes.signal(pid, name);
    };
    const system = { ...realSystem, processes: { ...processes, signal } };
    const mark = `ended-${process.pid}`;
    const ask = (question: () => Promise<unknown>) =>
      askQemu(system, qemu, ["-machine", "none", "-S", "-name", mark], question);
    await ask(async () => "answered");
    await isGone(mark);
    await expect(ask(() => Promise.reject(new Error("our own")))).rejects.toThrow("our own");
    await isGone(mark);
    // Process groups, each with a watchdog and its QEMU.
    expect(ended).toEqual([expect.any(Number), expect.any(Number)]);
    expect(ended.every((pid) => pid < -1)).toBe(true);
  });

  it("runs below a watchdog that outlives us", async () => {
    const mark = `watched-${process.pid}`;
    await askQemu(realSystem, qemu, ["-machine", "none", "-S", "-name", mark], async () => {
      const programs = processesWith(mark).map((id) => readFileSync(`/proc/${id}/comm`, "utf8").trim());
      expect(programs).toContain("timeout");
      expect(programs.length).toBeGreaterThanOrEqual(2);
    });
    await isGone(mark);
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

  // An interrupt table of no length, then an invalid instruction: a triple fault.
  const tripleFault = [0x0f, 0x01, 0x1e, 0, 0, 0x0f, 0x0b];
  it.each([
    ["stays at the reset vector", [0xeb, 0xfe], "", "its firmware gets nowhere within 0.5 s"],
    ["runs garbage", [0x0f, 0x0f], "", "its firmware gets nowhere within 0.5 s"],
    ["crashes", tripleFault, "", "QEMU does not run a guest with it"],
    ["stops", tripleFault, "-no-shutdown", "the guest stops at once (shutdown)"],
  ])("is not believed when the vCPU %s", async (_, instructions, more, reason) => {
    const { system, folder, program } = workshop();
    const firmware = Buffer.alloc(65_536);
    firmware.set(instructions, 0xfff0);
    writeFileSync(join(folder, "firmware.bin"), firmware);
    const misled = program("qemu", `exec ${qemu} "$@" -bios ${folder}/firmware.bin ${more}`);
    expect(await tryAccelerator(system, misled, "tcg", 500)).toContain(reason);
  });

  it("runs a guest with the KVM of this machine, or says why there is none", async () => {
    const { system } = workshop();
    const { kvm } = await discoverHost(system, { qemu, need: { kvm: true } });
    expect(kvm.reason === "").toBe(kvm.usable);
  });

  it("is what the recorded hosts say, or of the same form where it is another QEMU", async () => {
    const { system } = workshop();
    const { qemu: facts } = await discoverHost(system, { qemu, need: { qemu: "required" } });
    const here = facts?.version.package;
    if (here === recorded.version.package) expect({ ...facts, binary: recorded.binary }).toEqual(recorded);
    else expect(Object.keys(facts ?? {}).sort()).toEqual(Object.keys(recorded).sort());
  });
});
