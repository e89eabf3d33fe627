import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { plan, problems, recordedHost, values } from "./planning.ts";

const withoutKvm: Host = { ...recordedHost("laptop"), kvm: { usable: false, reason: "no /dev/kvm" } };
const machine = (changes: object, host?: Host) =>
  values(plan({ machine: changes }, host ? { host } : {}), "machine")[0];

describe("the accelerator", () => {
  it.each([
    ["auto", undefined, "kvm"],
    ["auto", withoutKvm, "tcg"],
    ["tcg", undefined, "tcg"],
    ["kvm", undefined, "kvm"],
  ])("%s (KVM %#)", (accel, host, expected) =>
    expect(machine({ accel }, host)).toContain(`accel=${expected},`),
  );

  it("is refused when it is KVM and cannot be", () => {
    expect(problems({}, { host: withoutKvm })).toEqual([
      "HOST_KVM machine.accel: KVM cannot be used: no /dev/kvm; a host on which QEMU runs a guest with KVM",
    ]);
  });
});

describe("the type", () => {
  it("is the profile's", () => expect(machine({ type: "pc-q35-7.2" })).toMatch(/^pc-q35-7\.2,/));

  it("must be one of the installed QEMU's", () => {
    expect(problems({ machine: { type: "pc-q35-9.0" } })).toEqual([
      'QEMU_FEATURE machine.type: QEMU 7.2 has no machine type "pc-q35-9.0"; a q35 machine type of the installed QEMU',
    ]);
  });

  it("is not checked where no QEMU is known", () => {
    const { qemu: _, ...host } = recordedHost("laptop");
    expect(problems({ machine: { type: "pc-q35-9.0" } }, { host })).toEqual([]);
  });

  it("takes so many vCPUs", () => {
    expect(problems({ machine: { accel: "kvm" }, cpus: { boot: 1, max: 300 } })).toEqual([
      "QEMU_FEATURE cpus.max: 300 vCPUs, and pc-q35-7.2 takes 288 at most; at most 288 vCPUs, or a machine type that takes more",
    ]);
  });
});

it("has what a headless server needs and no more", () => {
  expect(machine({})).toBe(
    "q35,accel=kvm,usb=off,vmport=off,hpet=off,dump-guest-core=off,memory-backend=ram-node0",
  );
  const numa = { cells: [{ cpus: "0-1", memory: "1G" }] };
  expect(values(plan({ numa }), "machine")[0]).not.toContain("memory-backend");
  expect(machine({ hpet: true })).toContain("hpet=on");
});

it("sets the clock", () => {
  const rtc = (changes: object) => values(plan({ machine: { rtc: changes } }), "rtc");
  expect(rtc({})).toEqual(["base=utc"]);
  expect(rtc({ base: "localtime", driftFix: "slew" })).toEqual(["base=localtime,driftfix=slew"]);
});

it("puts the IOMMU before every device, and splits the interrupt controller for it", () => {
  const planned = plan({ machine: { accel: "kvm", viommu: {} }, networks: [{ id: "n", user: {} }] });
  expect(values(planned, "device")[0]).toBe("intel-iommu,intremap=on,caching-mode=off,aw-bits=48");
  expect(values(planned, "machine")[0]).toContain("kernel-irqchip=split");
  const without = plan({ machine: { accel: "kvm", viommu: { interruptRemapping: false } } });
  expect(values(without, "machine")[0]).not.toContain("kernel-irqchip");
});

it("tells the guest what it is", () => {
  const smbios = { manufacturer: "A, B", product: "C", oemStrings: ["x", "y,z"] };
  expect(values(plan({ machine: { smbios } }), "smbios")).toEqual([
    "type=1,manufacturer=A,, B,product=C",
    "type=11,value=x,value=y,,z",
  ]);
  expect(values(plan({ machine: { smbios: {} } }), "smbios")).toEqual([]);
});
