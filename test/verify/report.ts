import type { Plan, PlannedDevice } from "../../src/plan/types.ts";
import type { ProbeReport } from "../../src/verify/report.ts";

/** A guest of two cells with a core of two threads each, and a device behind a switch on the second. */
export const devices: readonly PlannedDevice[] = [
  { id: "pxb1", driver: "pxb-pcie", bus: "pcie.0", slot: 1, function: 0, numaNode: 1, busNr: 0x60 },
  { id: "rp0", driver: "pcie-root-port", bus: "pxb1", slot: 2, function: 0, numaNode: 1 },
  { id: "sw0", driver: "x3130-upstream", bus: "rp0", slot: 0, function: 0, numaNode: 1 },
  { id: "dp0", driver: "xio3130-downstream", bus: "sw0", slot: 0, function: 0, numaNode: 1 },
  { id: "dp1", driver: "xio3130-downstream", bus: "sw0", slot: 1, function: 0, numaNode: 1 },
  {
    id: "gpu0",
    driver: "vfio-pci",
    bus: "dp1",
    slot: 0,
    function: 0,
    numaNode: 1,
    hostAddress: "0000:19:00.0",
  },
  { id: "spare0", driver: "pcie-root-port", bus: "pcie.0", slot: 2, function: 1, numaNode: undefined },
];

export const plan = {
  name: "test",
  devices,
  options: [],
  placement: {
    cells: [
      { id: 0, vcpus: [0, 1], memoryBytes: 256 * 2 ** 20, distances: [10, 21] },
      { id: 1, vcpus: [2, 3], memoryBytes: 256 * 2 ** 20, distances: [21, 10] },
    ],
    memoryDevices: [],
    vcpus: [0, 1, 2, 3].map((id) => ({
      ...{ id, cell: id >> 1, socket: id >> 1, die: 0, core: 0, thread: id & 1, boot: true },
    })),
  },
  run: {
    passthrough: [
      { address: "0000:19:00.0", deviceId: "gpu0", iommuGroup: 1, vendor: "10de", device: "2335" },
    ],
  },
} as unknown as Plan;

const memoryBar = {
  index: 0,
  start: "0x00000000fe000000",
  end: "0x00000000fe000fff",
  flags: "0x0000000000040200",
};

const bridge = (address: string, parent: string, numaNode: number) => ({
  ...{
    address,
    parent,
    numaNode,
    class: "0x060400",
    vendor: "0x1b36",
    device: "0x000c",
    resources: [memoryBar],
  },
});

/** What that guest sees when all is as planned. */
export const report: ProbeReport = {
  kernel: "6.1.0",
  uptimeSeconds: 5,
  nodes: [
    { id: 0, cpuIds: [0, 1], memoryKiB: 210_000, distances: [10, 21] },
    { id: 1, cpuIds: [2, 3], memoryKiB: 256_000, distances: [21, 10] },
  ],
  topology: [0, 1, 2, 3].map((cpu) => ({ cpu, siblings: cpu < 2 ? "0-1" : "2-3" })),
  pci: [
    bridge("0000:00:02.1", "root", -1),
    bridge("0000:60:02.0", "root", 1),
    bridge("0000:61:00.0", "0000:60:02.0", 1),
    bridge("0000:62:00.0", "0000:61:00.0", 1),
    bridge("0000:62:01.0", "0000:61:00.0", 1),
    { ...bridge("0000:64:00.0", "0000:62:01.0", 1), class: "0x030200", vendor: "0x10de", device: "0x2335" },
  ],
};

/** The report with one function of the guest's as it is not planned. */
export function withFunction(address: string, changes: Partial<ProbeReport["pci"][number]>): ProbeReport {
  return {
    ...report,
    pci: report.pci.map((found) => (found.address === address ? { ...found, ...changes } : found)),
  };
}
