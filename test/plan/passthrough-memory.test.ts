import { expect, it } from "vitest";
import { hostWith, workstation } from "./host-pci.ts";
import { plan } from "./planning.ts";

const gibibyte = 2 ** 30;
const host = hostWith(workstation);
const devices = [{ address: "0000:03:02.0" }, { address: "0000:01:00.0" }];
const lockedGib = (changes: object) =>
  plan({ passthrough: { group: "whole", devices }, ...changes }, { host }).run.lockedBytes / gibibyte;

it("is all that the guest can come to have, and a GiB", () => {
  expect(lockedGib({ memory: { size: "4G" } })).toBe(5);
  expect(lockedGib({ memory: { size: "4G", max: "16G", slots: 2 } })).toBe(17);
  expect(lockedGib({ memory: { size: "4G" }, passthrough: {} })).toBe(0);
});

it("counts once for each device behind an IOMMU of the guest", () => {
  const machine = { accel: "kvm", viommu: { cachingMode: true } };
  const two = [devices[0], { address: "0000:05:00.0" }];
  const other = { ...workstation[9], address: "0000:05:00.0", iommuGroup: 9 } as (typeof workstation)[number];
  const planned = plan(
    { machine, memory: { size: "4G" }, passthrough: { devices: two } },
    { host: hostWith([...workstation, other]) },
  );
  expect(planned.run.lockedBytes).toBe(10 * gibibyte);
});

it("is no less than what locking all of QEMU's memory takes", () => {
  expect(lockedGib({ memory: { size: "4G", locked: true } })).toBe(8);
});
