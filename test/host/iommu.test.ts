import { expect, it } from "vitest";
import { readIommu } from "../../src/host/iommu.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";

const read = (tree: Record<string, FakeFile>, iommuGroup?: number) =>
  readIommu(fakeSystem(tree).files, [{}, iommuGroup === undefined ? {} : { iommuGroup }]);
const release = { "/proc/sys/kernel/osrelease": "6.1.0-40-amd64\n" };
const modules = "/lib/modules/6.1.0-40-amd64";

it("has nothing on a machine without an IOMMU", () =>
  expect(read({})).toEqual({ enabled: false, vfioPci: "absent", iommufd: false }));

it("takes the narrowest of Intel's units", () => {
  expect(
    read(
      {
        "/sys/bus/pci/drivers/vfio-pci/bind": "",
        "/dev/iommu": { facts: { kind: "character" } },
        // Bits 21 to 16 are 0x38 and 0x2e.
        "/sys/class/iommu/dmar0/intel-iommu/cap": "19ed008c40b80c66\n",
        "/sys/class/iommu/dmar1/intel-iommu/cap": "d2008c40ae0462\n",
        "/sys/class/iommu/ivhd0/amd-iommu/cap": "0\n",
      },
      0,
    ),
  ).toEqual({ enabled: true, vfioPci: "loaded", iommufd: true, addressBits: 47 });
});

it.each([
  ["kernel/drivers/vfio/pci/vfio-pci.ko: kernel/virt/lib/irqbypass.ko\n", "available"],
  ["kernel/drivers/vfio/pci/vfio-pci.ko.zst: kernel/virt/lib/irqbypass.ko.zst\n", "available"],
  ["kernel/drivers/vfio/pci/vfio-pci-core.ko: kernel/drivers/vfio/vfio.ko\n", "absent"],
  ["kernel/drivers/vfio/pci/mlx5/mlx5-vfio-pci.ko:\n", "absent"],
])("looks in the kernel's own list: %s", (list, expected) => {
  expect(read({ ...release, [`${modules}/modules.dep`]: list }).vfioPci).toBe(expected);
});

it("counts a driver that is part of the kernel, and no other kernel's", () => {
  expect(
    read({ ...release, [`${modules}/modules.builtin`]: "kernel/drivers/vfio/pci/vfio-pci.ko\n" }).vfioPci,
  ).toBe("available");
  const other = { "/lib/modules/5.10.0/modules.dep": "kernel/drivers/vfio/pci/vfio-pci.ko:\n" };
  expect(read({ ...release, ...other }).vfioPci).toBe("absent");
});
