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

describe("firmware", () => {
  const ovmf = { code: "/code.fd", vars: "/vars.fd" };

  it("is SeaBIOS without more", () => expect(values(plan(), "drive")).toEqual([]));

  it("is OVMF with a variable store of the VM's own", () => {
    const planned = plan({ machine: { firmware: { ovmf } } });
    expect(values(planned, "drive")).toEqual([
      "if=pflash,format=raw,unit=0,readonly=on,file=/code.fd",
      "if=pflash,format=raw,unit=1,file=/run/qlaunch/vm/qemu/ovmf-vars.fd",
    ]);
    expect(planned.run.copies).toEqual([{ source: "/vars.fd", target: "/run/qlaunch/vm/qemu/ovmf-vars.fd" }]);
  });

  it("is the host's image that has Secure Boot, or has not", () => {
    const image = (secureBoot: boolean) => ({ code: `/c${secureBoot}`, vars: `/v${secureBoot}`, secureBoot });
    const host = { ...recordedHost("laptop"), firmware: [image(false), image(true)] };
    const planned = plan({ machine: { firmware: { ovmf: { secureBoot: true } } } }, { host });
    expect(values(planned, "drive")[0]).toContain("file=/ctrue");
    expect(values(planned, "global")).toContain("driver=cfi.pflash01,property=secure,value=on");
    expect(values(planned, "machine")[0]).toContain("smm=on");
    const plain = plan({ machine: { firmware: { ovmf: {} } } }, { host });
    expect(values(plain, "drive")[0]).toContain("file=/cfalse");
    expect(values(plain, "global")).toEqual([]);
  });

  it("is refused when there is none", () => {
    expect(problems({ machine: { firmware: { ovmf: {} } } })).toEqual([
      "HOST_FILE_MISSING machine.firmware.ovmf: no OVMF image on this host; the firmware's code and variable store",
    ]);
  });

  it("has a flash name that no disk may take", () => {
    const disks = [{ id: "pflash1", file: "/d", format: "raw" }];
    expect(problems({ machine: { firmware: { ovmf } }, disks })).toEqual([
      'ID_DUPLICATE disks[0].id: the block node "pflash1" a second time; machine.firmware.ovmf has it; a name of its own for each block node',
    ]);
    expect(problems({ disks })).toEqual([]);
  });

  it("learns the window's size in decimal MiB", () => {
    const planned = plan({ machine: { firmware: { ovmf } }, pcie: { mmio64: "64G" } });
    expect(values(planned, "fw_cfg")).toEqual(["name=opt/ovmf/X-PciMmio64Mb,string=65536"]);
    expect(values(planned, "global")).toEqual([
      "driver=q35-pcihost,property=pci-hole64-size,value=68719476736",
    ]);
    expect(values(plan({ pcie: { mmio64: "64G" } }), "fw_cfg")).toEqual([]);
  });

  it.each(["512M", "17T", 2 ** 34 + 1])("refuses a window of %s", (mmio64) => {
    expect(problems({ pcie: { mmio64 } })[0]).toMatch(/^HOST_ADDRESS_BITS pcie\.mmio64: a window of/);
  });
});
