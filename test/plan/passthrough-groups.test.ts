import { describe, expect, it } from "vitest";
import type { PciFunction } from "../../src/host/index.ts";
import { hostWith, workstation } from "./host-pci.ts";
import { plan, problems, tryPlan } from "./planning.ts";

const gpu = { address: "0000:01:00.0" };
const passed = (passthrough: object, pci: readonly PciFunction[] = workstation) =>
  plan({ passthrough }, { host: hostWith(pci) }).run.passthrough.map(
    ({ address, deviceId }) => `${address} ${deviceId}`,
  );
const bound = (driver: string | undefined) =>
  workstation.map((fn) => {
    const { driver: _, ...unbound } = fn;
    return fn.iommuGroup === 1 ? { ...unbound, ...(driver === undefined ? {} : { driver }) } : fn;
  });

describe("a group with other devices", () => {
  it("is refused with each of them, its driver and the fix; bridges do not count", () => {
    const result = tryPlan({ passthrough: { devices: [gpu] } }, { host: hostWith(workstation) });
    expect(result.ok ? [] : result.diagnostics).toMatchObject([
      {
        code: "HOST_IOMMU_GROUP",
        path: ["passthrough", "devices", 0, "address"],
        found:
          "IOMMU group 1 of 0000:01:00.0 has 0000:01:00.1 (snd_hda_intel), 0000:01:00.2 (xhci_hcd), 0000:01:00.3 (no driver) as well",
        fix: 'add them to passthrough.devices, write "group": "whole", or move the card to another slot',
      },
    ]);
  });

  it("is refused for what no guest can have, with group whole as well", () => {
    const result = tryPlan(
      { passthrough: { group: "whole", devices: [{ address: "0000:00:1f.3" }] } },
      { host: hostWith(workstation) },
    );
    expect(result.ok ? [] : result.diagnostics).toMatchObject([
      {
        code: "HOST_IOMMU_GROUP",
        found: "IOMMU group 7 of 0000:00:1f.3 has 0000:00:1f.0 (lpc_ich) as well",
        fix: "move the card to another slot: 0000:00:1f.0 cannot leave the host",
      },
    ]);
  });

  it.each(["vfio-pci", "pci-stub", undefined])("is taken as it is when they have driver %s", (driver) => {
    expect(passed({ devices: [gpu] }, bound(driver))).toEqual(["0000:01:00.0 gpu0"]);
  });

  it("is taken when all that have a driver are named", () => {
    const rest = [{ address: "0000:01:00.1" }, { address: "0000:01:00.2" }];
    expect(passed({ devices: [gpu, ...rest] })).toEqual([
      "0000:01:00.0 gpu0",
      "0000:01:00.1 audio0",
      "0000:01:00.2 usb0",
    ]);
  });

  it("comes along with group whole, but for what no driver has", () => {
    expect(passed({ group: "whole", devices: [{ ...gpu, id: "card" }] })).toEqual([
      "0000:01:00.0 card",
      "0000:01:00.1 card.1",
      "0000:01:00.2 card.2",
    ]);
    expect(passed({ group: "whole", devices: [gpu] }, bound("pci-stub"))).toHaveLength(1);
    expect(passed({ group: "whole", devices: [gpu] }, bound("vfio-pci"))).toHaveLength(4);
  });
});

it("has what comes along checked as what is named", () => {
  const pci = workstation.map((fn) =>
    fn.address === "0000:01:00.2" ? { ...fn, hostUse: "the keyboard" } : fn,
  );
  expect(problems({ passthrough: { group: "whole", devices: [gpu] } }, { host: hostWith(pci) })).toEqual([
    "HOST_DEVICE_NEEDED passthrough.devices[0]: 0000:01:00.2, which has the keyboard of this host; a device that the host can do without",
  ]);
});
