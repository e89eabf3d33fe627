import { describe, expect, it } from "vitest";
import { highestApicId } from "../../src/plan/interrupts.ts";
import { plan, problems, recordedHost, values } from "./planning.ts";

describe("APIC ids", () => {
  it.each([
    [{ sockets: 1, dies: 1, cores: 4, threads: 2 }, 7],
    [{ sockets: 2, dies: 1, cores: 3, threads: 1 }, 6],
    [{ sockets: 4, dies: 2, cores: 18, threads: 2 }, 3 * 128 + 64 + 34 + 1],
  ])("of %j go up to %i", (topology, highest) => expect(highestApicId(topology)).toBe(highest));

  // 7.2 under TCG was seen to start 255 CPUs and refuse 256; 10.0 starts both.
  const machine = { type: "pc-q35-7.2", accel: "tcg" };
  const many = (max: number) => ({ boot: 1, max });
  const qemuOf = (major: number) => {
    const host = recordedHost("laptop");
    if (!host.qemu) throw new Error("no QEMU");
    return { host: { ...host, qemu: { ...host.qemu, version: { ...host.qemu.version, major } } } };
  };

  it("above 254 need more than TCG of old QEMUs", () => {
    expect(problems({ machine, cpus: many(255) })).toEqual([]);
    expect(problems({ machine, cpus: many(256) })).toEqual([
      "QEMU_FEATURE cpus.max: vCPUs with APIC ids up to 255 under TCG of QEMU 7.2; ids up to 254, KVM, or QEMU 9.0 or newer",
    ]);
    expect(problems({ machine, cpus: many(256) }, qemuOf(10))).toEqual([]);
  });

  it("above 254 split KVM's interrupt controller", () => {
    const line = (max: number) =>
      values(plan({ machine: { type: "pc-q35-7.2", accel: "kvm" }, cpus: many(max) }), "machine")[0];
    expect(line(255)).not.toContain("kernel-irqchip");
    expect(line(256)).toContain("kernel-irqchip=split");
  });
});
