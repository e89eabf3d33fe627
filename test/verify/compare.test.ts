import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/types.ts";
import { compare } from "../../src/verify/compare.ts";
import type { ProbeReport } from "../../src/verify/report.ts";
import { plan, report, withFunction } from "./report.ts";

/** What differs, in words. */
const differences = (seen: ProbeReport, planned: Plan = plan) =>
  compare(planned, seen)
    .filter(({ same }) => !same)
    .map(({ kind, what, fact, planned, seen }) => `${kind} ${what} ${fact}: ${planned}, ${seen}`);

const withNode = (id: number, changes: Partial<ProbeReport["nodes"][number]>): ProbeReport => ({
  ...report,
  nodes: report.nodes.map((node) => (node.id === id ? { ...node, ...changes } : node)),
});

const withPlacement = (changes: Partial<Plan["placement"]>): Plan => ({
  ...plan,
  placement: { ...plan.placement, ...changes },
});

it("a guest that sees what was planned differs in nothing", () => {
  expect(differences(report)).toEqual([]);
  expect(compare(plan, report).length).toBeGreaterThan(20);
});

describe("cells", () => {
  it.each<[changes: Partial<ProbeReport["nodes"][number]>, difference: string]>([
    [{ cpuIds: [2] }, "cell 1 vCPUs: 2-3, 2"],
    [{ distances: [20, 10] }, "cell 1 distances: 21 10, 20 10"],
    [{ memoryKiB: 128 * 1024 }, "cell 1 memory: 256 MiB, 128 MiB"],
    [{ memoryKiB: 257 * 1024 }, "cell 1 memory: 256 MiB, 257 MiB"],
  ])("%j is told", (changes, difference) => {
    expect(differences(withNode(1, changes))).toEqual([difference]);
  });

  it("a cell that the guest does not have differs in everything", () => {
    const [node] = report.nodes;
    expect(differences({ ...report, nodes: node ? [node] : [] })).toEqual([
      "cell 1 vCPUs: 2-3, undefined",
      "cell 1 distances: 21 10, undefined",
      "cell 1 memory: 256 MiB, undefined",
    ]);
  });

  it("distances that the profile leaves to the guest are not compared", () => {
    const cells = plan.placement.cells.map((cell) => ({ ...cell, distances: undefined }));
    expect(differences(withNode(1, { distances: [20, 10] }), withPlacement({ cells }))).toEqual([]);
  });

  it("a large cell keeps more than nine parts in ten", () => {
    const cells = plan.placement.cells.map((cell) => ({ ...cell, memoryBytes: 900 * 2 ** 30 }));
    const large = withNode(0, { memoryKiB: 890 * 2 ** 20 });
    expect(
      differences({ ...large, nodes: large.nodes.slice(0, 1) }, withPlacement({ cells: cells.slice(0, 1) })),
    ).toEqual([]);
    expect(
      differences(withNode(0, { memoryKiB: 800 * 2 ** 20 }), withPlacement({ cells: cells.slice(0, 1) })),
    ).toEqual(["cell 0 memory: 900 GiB, 800 GiB"]);
  });

  it("memory devices that are there at the start may count, and need not be online", () => {
    const memoryDevices = [
      { cell: 1, memoryBytes: 128 * 2 ** 20 },
    ] as unknown as Plan["placement"]["memoryDevices"];
    const planned = withPlacement({ memoryDevices });
    expect(differences(report, planned)).toEqual([]);
    expect(differences(withNode(1, { memoryKiB: 370 * 1024 }), planned)).toEqual([]);
  });

  it("vCPUs are those of the start, by the guest's own numbers", () => {
    const vcpus = plan.placement.vcpus.map((vcpu) => ({ ...vcpu, boot: vcpu.id !== 1 }));
    const seen: ProbeReport = {
      ...report,
      nodes: report.nodes.map((node) => ({ ...node, cpuIds: node.id === 0 ? [0] : [1, 2] })),
      topology: ["0", "1-2", "1-2"].map((siblings, cpu) => ({ cpu, siblings })),
    };
    expect(differences(seen, withPlacement({ vcpus }))).toEqual([]);
  });
});

it("siblings that the guest does not see as one core are told", () => {
  const topology = report.topology.map((cpu) => (cpu.cpu < 2 ? cpu : { ...cpu, siblings: String(cpu.cpu) }));
  expect(differences({ ...report, topology })).toEqual(["core 2-3 siblings: 2-3, 2 and 3"]);
});

describe("devices", () => {
  it("on another node, with other ids, with a BAR that has no address", () => {
    expect(differences(withFunction("0000:64:00.0", { numaNode: 0 }))).toEqual(["device gpu0 node: 1, 0"]);
    expect(differences(withFunction("0000:64:00.0", { device: "0x1111" }))).toEqual([
      "device gpu0 ids: 10de:2335, 10de:1111",
    ]);
    const lost = {
      index: 2,
      start: "0x0000000000000000",
      end: "0x0000003fffffffff",
      flags: "0x000000000014220c",
    };
    expect(differences(withFunction("0000:64:00.0", { resources: [lost] }))).toEqual([
      "device gpu0 BARs: assigned, BAR 2 without address",
    ]);
  });

  it("an I/O BAR and a bridge's window may be without an address", () => {
    const nowhere = { start: "0x0000000000000000", end: "0x000000000000001f" };
    const resources = [
      { ...nowhere, index: 2, flags: "0x0000000000040101" },
      { ...nowhere, index: 8, flags: "0x0000000000000200" },
    ];
    expect(differences(withFunction("0000:64:00.0", { resources }))).toEqual([]);
  });

  it("one that is below another port is told, and so is what hangs on it", () => {
    expect(differences(withFunction("0000:61:00.0", { parent: "0000:00:02.1" }))).toContain(
      "device gpu0 address: dp1 0, undefined",
    );
    expect(differences(withFunction("0000:64:00.0", { parent: "0000:62:00.0" }))).toEqual([
      "device gpu0 address: dp1 0, undefined",
      "device gpu0 bus: 64, undefined",
      "device gpu0 node: 1, undefined",
      "device gpu0 ids: 10de:2335, undefined",
    ]);
  });

  it("one whose bus has another number than the firmware gives is told", () => {
    const moved = withFunction("0000:64:00.0", { address: "0000:65:00.0" });
    expect(differences(moved)).toEqual(["device gpu0 bus: 64, 65"]);
  });

  it("on pcie.0 one has no node", () => {
    expect(differences(withFunction("0000:00:02.1", { numaNode: 0 }))).toEqual([
      "device spare0 node: none, 0",
    ]);
  });

  it("one with an identity shall show that", () => {
    const identity = { "x-pci-vendor-id": "0x1234", "x-pci-device-id": 0x0042 };
    const options = [
      { option: "device", driver: "vfio-pci", id: "gpu0", properties: identity, because: ["x"] },
    ];
    const planned = { ...plan, options } as unknown as Plan;
    expect(differences(report, planned)).toEqual(["device gpu0 ids: 1234:0042, 10de:2335"]);
  });

  it("an expander bus with nothing on it cannot be seen and is not compared", () => {
    const alone = { ...plan, devices: plan.devices.slice(0, 1), run: { passthrough: [] } } as unknown as Plan;
    expect(compare(alone, { ...report, pci: [] }).filter(({ kind }) => kind === "device")).toEqual([]);
    expect(differences({ ...report, pci: [] })).toContain("device pxb1 address: 0000:60, undefined");
  });
});
