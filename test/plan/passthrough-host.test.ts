import { describe, expect, it } from "vitest";
import type { Host, IommuFacts } from "../../src/host/index.ts";
import { hostWith, workstation } from "./host-pci.ts";
import { problems, recordedHost, tryPlan } from "./planning.ts";

const host = hostWith(workstation);
const gpu = { passthrough: { group: "whole", devices: [{ address: "0000:01:00.0" }] } };
const withIommu = (given: Partial<IommuFacts>, more: Partial<Host> = {}) =>
  hostWith(workstation, { iommu: { enabled: true, vfioPci: "loaded", iommufd: false, ...given }, ...more });

describe("the host's IOMMU", () => {
  it("must be on, with the fix for its processor", () => {
    const fixes = (off: Host) => {
      const result = tryPlan(gpu, { host: off });
      return result.ok ? [] : result.diagnostics.map(({ code, fix }) => `${code}: ${fix}`);
    };
    expect(fixes(withIommu({ enabled: false }))).toEqual([
      "HOST_IOMMU: switch VT-d on in the firmware, add intel_iommu=on to the kernel's command line and reboot",
    ]);
    const processor = { ...recordedHost("hgx-h200").processor, vendor: "AuthenticAMD" };
    expect(fixes(withIommu({ enabled: false }, { processor }))).toEqual([
      "HOST_IOMMU: switch AMD-Vi on in the firmware, add amd_iommu=on to the kernel's command line and reboot",
    ]);
  });

  it("needs the driver vfio-pci, loaded or not", () => {
    expect(problems(gpu, { host: withIommu({ vfioPci: "available" }) })).toEqual([]);
    expect(problems(gpu, { host: withIommu({ vfioPci: "absent" }) })).toEqual([
      "HOST_IOMMU passthrough.devices: a kernel without the driver vfio-pci; vfio-pci, which devices for guests are bound to",
    ]);
  });

  it("must reach the device", () => {
    const pci = workstation.map((fn) => {
      const { iommuGroup: _, ...outside } = fn;
      return fn.address === "0000:01:00.0" ? outside : fn;
    });
    expect(problems(gpu, { host: hostWith(pci) })).toEqual([
      "HOST_IOMMU passthrough.devices[0].address: 0000:01:00.0, which is in no IOMMU group; a device behind the IOMMU",
    ]);
  });
});

describe("a device that somebody has", () => {
  it("is refused with the VM's name", () => {
    const ledger = [{ vm: "other", exclusiveCpus: [], pciFunctions: ["0000:01:00.0"] }];
    expect(problems(gpu, { host, ledger })).toEqual([
      "HOST_DEVICE_BUSY passthrough.devices[0].address: 0000:01:00.0, which other has; a device that no running VM has",
    ]);
  });

  it("is refused for its group, too, which is told once", () => {
    const ledger = [{ vm: "other", exclusiveCpus: [], pciFunctions: ["0000:01:00.1"] }];
    const both = [{ address: "0000:01:00.0" }, { address: "0000:01:00.2" }];
    const changes = { passthrough: { group: "whole", devices: both } };
    const bound = workstation.map((fn) =>
      fn.address === "0000:01:00.1" ? { ...fn, driver: "pci-stub" } : fn,
    );
    expect(problems(changes, { host: hostWith(bound), ledger })).toEqual([
      "HOST_DEVICE_BUSY passthrough.devices[0].address: 0000:01:00.0 in IOMMU group 1, of which other has 0000:01:00.1; a group of which no other VM has a device: VFIO gives it out as a whole",
    ]);
  });

  it("is refused when the host needs it, by address and by selector", () => {
    const disk = { address: "0000:02:00.0" };
    expect(problems({ passthrough: { devices: [disk] } }, { host })).toEqual([
      "HOST_DEVICE_NEEDED passthrough.devices[0].address: 0000:02:00.0, which has the root file system of this host; a device that the host can do without",
    ]);
    expect(problems({ passthrough: { devices: [{ select: { class: "nvme" } }] } }, { host })).toEqual([
      "HOST_DEVICE_NEEDED passthrough.devices[0].select: 0000:02:00.0, which has the root file system of this host; a device that the host can do without",
    ]);
  });

  it("is refused while it has virtual functions; they can be passed", () => {
    expect(problems({ passthrough: { devices: [{ address: "0000:03:00.0" }] } }, { host })).toEqual([
      "HOST_DEVICE_NEEDED passthrough.devices[0].address: 0000:03:00.0 with 2 virtual functions, which go when its driver does; a device without virtual functions, or one of these instead of it",
    ]);
    expect(problems({ passthrough: { devices: [{ address: "0000:03:02.0" }] } }, { host })).toEqual([]);
  });
});
