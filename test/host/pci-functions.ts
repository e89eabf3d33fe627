import type { PciFunction } from "../../src/host/index.ts";

/** A function with as little as there can be, and what is given. */
export function pciFunction(address: string, more: Partial<PciFunction> = {}): PciFunction {
  return {
    address,
    rootBus: address.slice(0, -5),
    kind: "endpoint",
    class: "ff0000",
    vendor: "1af4",
    device: "1041",
    node: -1,
    bars: [],
    ...more,
  };
}

const rootBus = "0000:17";
const link = { maxSpeed: 32, maxWidth: 16, speed: 16, width: 8 };
const port = { rootBus, class: "060400", vendor: "1000", device: "c030", node: 0, driver: "pcieport", link };

/** A GPU and a NIC with a virtual function, behind a switch on node 0. */
export const behindSwitch: readonly PciFunction[] = [
  pciFunction("0000:17:01.0", {
    ...port,
    kind: "root-port",
    iommuGroup: 3,
    acs: { capability: 0x1f, control: 0x1d },
  }),
  pciFunction("0000:18:00.0", { ...port, kind: "upstream-port", parent: "0000:17:01.0", iommuGroup: 4 }),
  pciFunction("0000:19:00.0", {
    ...port,
    kind: "downstream-port",
    parent: "0000:18:00.0",
    iommuGroup: 5,
    acs: { capability: 0x7f, control: 0 },
  }),
  pciFunction("0000:19:01.0", { ...port, kind: "downstream-port", parent: "0000:18:00.0", iommuGroup: 6 }),
  pciFunction("0000:1a:00.0", {
    rootBus,
    parent: "0000:19:00.0",
    class: "030200",
    vendor: "10de",
    device: "2335",
    subsystem: { vendor: "10de", device: "18be" },
    node: 0,
    iommuGroup: 7,
    driver: "nvidia",
    bars: [
      { index: 0, sizeBytes: 2 ** 24, kind: "mem32", prefetchable: false },
      { index: 2, sizeBytes: 2 ** 38, kind: "mem64", prefetchable: true },
      { index: 5, sizeBytes: 128, kind: "io", prefetchable: false },
      { index: 6, sizeBytes: 2 ** 19, kind: "mem32", prefetchable: false },
    ],
    link: { maxSpeed: 32, maxWidth: 16, speed: 32, width: 16 },
    ats: true,
  }),
  pciFunction("0000:1b:00.0", {
    rootBus,
    parent: "0000:19:01.0",
    class: "020700",
    vendor: "15b3",
    device: "1021",
    node: 0,
    iommuGroup: 8,
    driver: "mlx5_core",
    bars: [{ index: 0, sizeBytes: 2 ** 25, kind: "mem64", prefetchable: true }],
    link,
    virtualFunctions: { now: 1, max: 16 },
    ats: false,
  }),
  pciFunction("0000:1b:00.1", {
    rootBus,
    parent: "0000:19:01.0",
    class: "020700",
    vendor: "15b3",
    device: "101e",
    node: 0,
    iommuGroup: 9,
    physicalFunction: "0000:1b:00.0",
    link,
    ats: true,
  }),
];
