import { expect, it } from "vitest";
import { readLstopoHost } from "../../src/host/elsewhere.ts";
import type { Host } from "../../src/host/index.ts";
import { pciFunction } from "./pci-functions.ts";

const bridge = (place: string, buses: string, inner: string, ids = "1000:c030") =>
  `<object type="Bridge" bridge_type="1-1" depth="1" bridge_pci="0000:[${buses}]" pci_busid="${place}" pci_type="0604 [${ids}] [0000:0000] b0 00" pci_link_speed="63.0">${inner}</object>`;
const device = (place: string, type: string) =>
  `<object type="PCIDev" gp_index="7" pci_busid="${place}" pci_type="${type}" pci_link_speed="63.0"><object type="OSDev" name="x" osdev_type="1"/></object>`;
const core = (id: number, cpus: readonly number[]) =>
  `<object type="L2Cache"><object type="Core" os_index="${id}">${cpus
    .map((cpu) => `<object type="PU" os_index="${cpu}" cpuset="0x1"/>`)
    .join("")}</object></object>`;
const node = (id: number, cpuset: string) =>
  `<object type="NUMANode" os_index="${id}" cpuset="${cpuset}" nodeset="0x${1 << id}" local_memory="8589934592"><page_type size="4096" count="9"/><page_type size="1073741824" count="2"/></object>`;

/** Two sockets with every second CPU, the second with CPU 33 beyond the first word; a switch on it. */
const source = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" nodeset="0x00000003">
    <object type="Package" os_index="0" nodeset="0x00000001">
      <info name="CPUVendor" value="GenuineIntel"/>
      <info name="CPUModel" value="Intel(R)  Xeon(R) Platinum"/>
      ${node(0, "0x00000005")}${core(0, [0, 2])}
      <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0000:[00-02]">
        ${device("0000:00:1f.2", "0106 [8086:1ba2] [1028:0a6b] 11")}
      </object>
    </object>
    <object type="Package" os_index="1" nodeset="0x00000002">
      ${node(1, "0x00000002,0x00000002")}${core(0, [1, 33])}
      <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="0000:[15-1a]">
        ${bridge("0000:15:01.0", "16-1a", bridge("0000:16:00.0", "17-1a", bridge("0000:17:00.0", "18-18", device("0000:18:00.0", "0302 [10de:2335] [0000:0000] a1 00"))), "8086:352a")}
      </object>
    </object>
    <object type="Bridge" bridge_type="0-1" depth="0" bridge_pci="10000:[00-01]">
      ${bridge("10000:00:02.0", "01-01", device("10000:01:00.0", "0108 [144d:a826] [0000:0000] 00 02"))}
    </object>
  </object>
  <distances2 type="NUMANode" nbobjs="2" kind="5" name="NUMALatency" indexing="os">
    <indexes length="4">1 0 </indexes>
    <u64values length="6">10 31 </u64values>
    <u64values length="6">21 10 </u64values>
  </distances2>
</topology>
`;

function read(text: string): Host {
  const result = readLstopoHost(text);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value;
}

it("reads CPUs, nodes and distances", () => {
  const { processor, cpus, nodes } = read(source);
  expect(processor).toEqual({
    vendor: "GenuineIntel",
    model: "Intel(R) Xeon(R) Platinum",
    physicalAddressBits: 46,
  });
  expect(cpus.map((cpu) => [cpu.id, cpu.socket, cpu.core, cpu.node, cpu.siblings])).toEqual([
    [0, 0, 0, 0, [0, 2]],
    [1, 1, 0, 1, [1, 33]],
    [2, 0, 0, 0, [0, 2]],
    [33, 1, 0, 1, [1, 33]],
  ]);
  const memory = { memoryBytes: 2 ** 33, freeBytes: 2 ** 33 - 2 ** 31 };
  const hugepages = [{ pageSizeBytes: 2 ** 30, total: 2, free: 2 }];
  expect(nodes).toEqual([
    { id: 0, cpus: [0, 2], ...memory, hugepages, distances: [10, 21] },
    { id: 1, cpus: [1, 33], ...memory, hugepages, distances: [31, 10] },
  ]);
});

it("reads PCI functions with their root bus, node and kind", () => {
  const port = { class: "060400", vendor: "1000", device: "c030", rootBus: "0000:15", node: 1 } as const;
  expect(read(source).pci).toEqual([
    pciFunction("0000:00:1f.2", {
      class: "010600",
      vendor: "8086",
      device: "1ba2",
      subsystem: { vendor: "1028", device: "0a6b" },
      node: 0,
      iommuGroup: 0,
    }),
    pciFunction("0000:15:01.0", {
      ...port,
      kind: "root-port",
      vendor: "8086",
      device: "352a",
      iommuGroup: 1,
    }),
    pciFunction("0000:16:00.0", { ...port, kind: "upstream-port", parent: "0000:15:01.0", iommuGroup: 2 }),
    pciFunction("0000:17:00.0", { ...port, kind: "downstream-port", parent: "0000:16:00.0", iommuGroup: 3 }),
    pciFunction("0000:18:00.0", {
      ...port,
      class: "030200",
      vendor: "10de",
      device: "2335",
      parent: "0000:17:00.0",
      iommuGroup: 4,
    }),
    pciFunction("10000:00:02.0", {
      ...port,
      rootBus: "10000:00",
      kind: "root-port",
      node: -1,
      iommuGroup: 5,
    }),
    pciFunction("10000:01:00.0", {
      class: "010802",
      vendor: "144d",
      device: "a826",
      rootBus: "10000:00",
      parent: "10000:00:02.0",
      iommuGroup: 6,
    }),
  ]);
});

it("says what it assumed", () =>
  expect(readLstopoHost(source)).toMatchObject({
    warnings: [{ code: "HOST_SNAPSHOT", severity: "warning", found: expect.stringContaining("BARs") }],
  }));

it("takes 10 and 20 without a table of distances", () =>
  expect(read(source.replace("NUMALatency", "Other")).nodes.map(({ distances }) => distances)).toEqual([
    [10, 20],
    [20, 10],
  ]));

it.each([
  ["no XML", "{}", "no XML that lstopo writes: line 1: text"],
  ["no topology", "<topology/>", "no CPU or no NUMA node"],
  [
    "a CPU that is in no node",
    source.replace('"0x00000005"', '"0x00000001"'),
    "CPU 2 is not among the CPUs of node -1",
  ],
  ["a number that is none", source.replace('PU" os_index="33"', 'PU" os_index="x"'), "NaN"],
])("refuses %s", (_, text, found) => {
  const result = readLstopoHost(text);
  const [first] = result.ok ? [] : result.diagnostics;
  expect(first).toMatchObject({ code: "HOST_SNAPSHOT", found: expect.stringContaining(found) });
});
