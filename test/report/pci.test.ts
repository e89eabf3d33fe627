import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Host, PciFunction } from "../../src/host/topology.ts";
import { pciClasses } from "../../src/profile/index.ts";
import { describeIommu, describePciClass, renderPci } from "../../src/report/pci.ts";
import { pciFunction } from "../host/pci-functions.ts";
import { colourless, plain } from "./style.ts";

function load(name: string): Host & Required<Pick<Host, "pci">> {
  return JSON.parse(readFileSync(new URL(`../hosts/${name}.json`, import.meta.url), "utf8"));
}

it("draws each device below the switches that it shares, and fits 80 columns", () => {
  const lines = renderPci(load("hgx-h200").pci, colourless(80));
  expect(lines.slice(0, 14)).toMatchInlineSnapshot(`
    [
      "PCI          class       ids        group  driver           needed for",
      "root bus 00  node 0",
      "  01:00.0    nvme        144d:a826      5  nvme             the root file system",
      "  02:00.0    ethernet    14e4:165f      6  tg3              the default route",
      "  02:00.1    ethernet    14e4:165f      6  tg3",
      "  03:00.0    PCI bridge",
      "    04:00.0  vga         102b:0536      7  mgag200",
      "  00:18.0    sata        8086:1ba2      3  ahci",
      "  00:19.0    sata        8086:1ba2      4  ahci",
      "root bus 15  node 0",
      "  16:00.0    switch",
      "    18:00.0  nvme        144d:a826     14  nvme",
      "    19:00.0  3d          10de:2335     15  nvidia",
      "    1a:00.0  infiniband  15b3:1021     16  mlx5_core",
    ]
  `);
  expect(lines.at(-1)).toMatchInlineSnapshot(`"not drawn: 42 ports (--json has them)"`);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});

it("draws a switch in a switch, and functions without a driver", () => {
  expect(renderPci(load("a100x-dpu").pci, plain)).toMatchInlineSnapshot(`
    [
      "PCI            class     ids        group  driver     needed for",
      "root bus 3a    node 0",
      "  3b:00.0      switch",
      "    3d:00.0    ethernet  15b3:a2d6      4  mlx5_core",
      "    3d:00.1    ethernet  15b3:a2d6      5  mlx5_core",
      "    3d:00.2    system    15b3:c2d3      6  -",
      "    3f:00.0    switch",
      "      41:00.0  3d        10de:20b8      9  nvidia",
      "root bus d7    node 1",
      "  d8:00.0      switch",
      "    da:00.0    ethernet  15b3:a2d6     14  mlx5_core",
      "    da:00.1    ethernet  15b3:a2d6     15  mlx5_core",
      "    da:00.2    system    15b3:c2d3     16  -",
      "    dc:00.0    switch",
      "      de:00.0  3d        10de:20b8     19  nvidia",
      "not drawn: 8 ports (--json has them)",
    ]
  `);
});

it("cuts on a terminal what nobody copies", () => {
  const device = pciFunction("0000:00:02.0", {
    iommuGroup: 12,
    driver: "virtio-pci",
    hostUse: "the root file system, the file system /srv and swap",
  });
  const [, , line] = renderPci([device], colourless(64));
  expect(line).toBe("  00:02.0    ff0000  1af4:1041     12  virtio-pci  the root f...");
});

it("writes the domain where there are several, and no node where none is told", () => {
  const functions = [
    pciFunction("0000:16:00.5", { class: "010400" }),
    pciFunction("10000:00:02.0", { kind: "root-port", class: "060400" }),
    pciFunction("10000:01:00.0", { rootBus: "10000:00", parent: "10000:00:02.0", class: "010802", node: 1 }),
  ];
  expect(renderPci(functions, plain)).toMatchInlineSnapshot(`
    [
      "PCI                class   ids        group  driver  needed for",
      "root bus 0000:16   -",
      "  0000:16:00.5     raid    1af4:1041      -  -",
      "root bus 10000:00  node 1",
      "  10000:01:00.0    nvme    1af4:1041      -  -",
      "not drawn: 1 port (--json has them)",
    ]
  `);
});

it("leaves out ports with nothing on them and the board's own functions, and says how many", () => {
  const port = { kind: "root-port", class: "060400" } as const;
  const functions: PciFunction[] = [
    pciFunction("0000:00:00.0", { class: "060000" }),
    pciFunction("0000:00:1c.0", port),
    pciFunction("0000:00:1f.0", { class: "060100", driver: "lpc_ich" }),
    pciFunction("0000:00:1f.2", { class: "010601", driver: "ahci" }),
    pciFunction("0000:00:1f.3", { class: "0c0500", driver: "vfio-pci" }),
    pciFunction("0000:fe:00.0", { class: "088000" }),
  ];
  expect(renderPci(functions, plain)).toMatchInlineSnapshot(`
    [
      "PCI          class  ids        group  driver    needed for",
      "root bus 00  -",
      "  00:1f.2    sata   1af4:1041      -  ahci",
      "  00:1f.3    smbus  1af4:1041      -  vfio-pci",
      "not drawn: 1 port, 3 functions of the board (--json has them)",
    ]
  `);
});

it("calls classes as the selectors of a profile do, and others by their digits", () => {
  for (const [name, digits] of Object.entries(pciClasses)) {
    expect(describePciClass(digits.padEnd(6, "9"))).toBe(name);
  }
  expect(describePciClass("ffff00")).toBe("ffff00");
});

it("says in a line what the IOMMU can do", () => {
  expect(describeIommu(load("hgx-h200"))).toBe("on, 86 groups, vfio-pci loaded, 57 address bits");
  expect(describeIommu({ pci: [], iommu: { enabled: false, vfioPci: "absent", iommufd: false } })).toBe(
    "off: no device can be given to a guest, no vfio-pci on this system",
  );
  expect(
    describeIommu({
      pci: [pciFunction("0000:00:01.0", { iommuGroup: 0 })],
      iommu: { enabled: true, vfioPci: "available", iommufd: true },
    }),
  ).toBe("on, 1 group, vfio-pci not loaded yet, iommufd");
  expect(describeIommu({})).toBeUndefined();
});
