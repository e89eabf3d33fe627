import { expect, it } from "vitest";
import { renderDriverChanges, renderHostFunctions, styleFor } from "../../src/report/index.ts";
import { pciFunction } from "../host/pci-functions.ts";

const style = styleFor({ isTerminal: false });

it("lists devices by group, with what keeps them", () => {
  const functions = [
    pciFunction("0000:41:00.0", { class: "030200", vendor: "10de", device: "2335", iommuGroup: 7, node: 1 }),
    pciFunction("0000:42:00.0", {
      class: "010802",
      driver: "nvme",
      iommuGroup: 12,
      hostUse: "the root file system",
    }),
    { ...pciFunction("0000:43:00.0", { driver: "vfio-pci", iommuGroup: 13 }), vm: "gpu" },
    pciFunction("0000:40:01.0", { kind: "root-port", class: "060400", driver: "pcieport" }),
  ];
  expect(renderHostFunctions(functions, style)).toEqual([
    "group  address       class      ids        node  driver    VM   needed for",
    "    7  0000:41:00.0  3d         10de:2335     1  -         -    -",
    "   12  0000:42:00.0  nvme       1af4:1041     -  nvme      -    the root file system",
    "   13  0000:43:00.0  ff0000     1af4:1041     -  vfio-pci  gpu  -",
    "    -  0000:40:01.0  root-port  1af4:1041     -  pcieport  -    -",
  ]);
});

it("says so when there is none", () => {
  expect(renderHostFunctions([], style)).toEqual([
    "no device that a guest can be given: see IOMMU in qlaunch host show",
  ]);
});

it("says what each function has now, and had", () => {
  expect(
    renderDriverChanges([
      { address: "0000:41:00.0", from: "nvidia", to: "vfio-pci" },
      { address: "0000:42:00.0", from: "vfio-pci", to: null },
      { address: "0000:43:00.0", from: "vfio-pci", to: "vfio-pci" },
    ]),
  ).toEqual([
    "0000:41:00.0 has vfio-pci, and had nvidia",
    "0000:42:00.0 has no driver, and had vfio-pci",
    "0000:43:00.0 has vfio-pci as before",
  ]);
});
