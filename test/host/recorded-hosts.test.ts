import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { recordHosts } from "../../scripts/record-hosts.ts";
import { readSnapshot } from "../../src/host/elsewhere.ts";
import type { Host } from "../../src/host/index.ts";

const folder = new URL("../hosts/", import.meta.url);
const recorded = readdirSync(folder).filter((name) => name.endsWith(".json"));
const remade = await recordHosts((name) => readFileSync(new URL(`sources/${name}`, folder), "utf8"));

function load(name: string): Host {
  const result = readSnapshot(readFileSync(new URL(name, folder), "utf8"));
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  return result.value;
}

it("has a source for each recorded host", () => expect(Object.keys(remade).sort()).toEqual(recorded));

describe.each(recorded)("%s", (name) => {
  it("is what its sources give (else: node scripts/record-hosts.mjs)", () =>
    expect(readFileSync(new URL(name, folder), "utf8")).toBe(remade[name]));

  it("is a valid snapshot", () => expect(load(name).version).toBe(1));
});

it("knows the four sockets of ol8", () => {
  const { cpus, nodes, processor } = load("ol8.json");
  expect(cpus).toHaveLength(120);
  expect(cpus[74]).toMatchObject({ node: 0, socket: 0, core: 14, siblings: [14, 74] });
  expect(cpus[105]).toMatchObject({ node: 3, socket: 3, core: 0, siblings: [45, 105] });
  expect(nodes.map((node) => node.distances)).toEqual([
    [10, 21, 21, 21],
    [21, 10, 21, 21],
    [21, 21, 10, 21],
    [21, 21, 21, 10],
  ]);
  expect(nodes[1]).toMatchObject({ memoryBytes: 129018 * 2 ** 20, freeBytes: 118358 * 2 ** 20 });
  expect(processor.physicalAddressBits).toBe(46);
});

it("knows the eight nodes of anuma", () => {
  const { cpus, nodes } = load("anuma.json");
  expect(cpus).toHaveLength(240);
  expect(cpus[239]).toMatchObject({ node: 7, socket: 7, core: 14, siblings: [119, 239] });
  expect(nodes[2]?.distances).toEqual([31, 21, 10, 21, 31, 31, 21, 31]);
  expect(nodes.every((node) => node.memoryBytes === 128 * 2 ** 30)).toBe(true);
});

it("knows the laptop", () => {
  const { cpus, nodes, processor } = load("laptop.json");
  expect([cpus.length, nodes.length, processor.physicalAddressBits]).toEqual([8, 1, 39]);
});

it("knows the devices of hgx-h200 and the switches that they share", () => {
  const { cpus, nodes, pci = [] } = load("hgx-h200.json");
  expect(cpus).toHaveLength(96);
  expect(cpus[95]).toMatchObject({ node: 1, socket: 1, core: 47, siblings: [95] });
  expect(nodes.map(({ cpus: own, memoryBytes }) => [own[1], memoryBytes / 2 ** 30])).toEqual([
    [2, 1007],
    [3, 1008],
  ]);
  const upward = new Map(pci.map(({ address, parent }) => [address, parent]));
  const switchOf = (address: string) => upward.get(upward.get(address) ?? "");
  const withClass = (prefix: string) => pci.filter((each) => each.class.startsWith(prefix));
  const gpus = withClass("0302");
  const cards = withClass("0207");
  expect([gpus.length, cards.length, withClass("0108").length, withClass("0680").length]).toEqual([
    8, 8, 3, 4,
  ]);
  expect(gpus.map(({ address }) => switchOf(address))).toEqual(cards.map(({ address }) => switchOf(address)));
  expect(gpus.map(({ node }) => node)).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
  expect(new Set(withClass("0680").map(({ address }) => switchOf(address)))).toEqual(
    new Set(["0000:81:00.0"]),
  );
  expect(pci.filter(({ kind }) => kind === "upstream-port")).toHaveLength(9);
  expect(pci.find(({ address }) => address === "0000:1a:00.0")).toMatchObject({
    rootBus: "0000:15",
    parent: "0000:17:02.0",
    iommuGroup: 16,
    driver: "mlx5_core",
  });
  expect(pci.flatMap(({ address, hostUse }) => (hostUse ? [`${address} ${hostUse}`] : []))).toEqual([
    "0000:01:00.0 the root file system",
    "0000:02:00.0 the default route",
  ]);
});

it("groups devices of hgx-h200 as the kernel does", () => {
  const { pci = [] } = load("hgx-h200.json");
  const groups = new Map<number, string[]>();
  for (const { address, iommuGroup = -1 } of pci) {
    groups.set(iommuGroup, [...(groups.get(iommuGroup) ?? []), address]);
  }
  expect([...groups.values()].filter((members) => members.length > 1)).toEqual([
    ["0000:02:00.0", "0000:02:00.1"],
    ["0000:03:00.0", "0000:04:00.0"],
  ]);
});

it("knows the switch in the switch of a100x-dpu", () => {
  const { pci = [] } = load("a100x-dpu.json");
  const byName = new Map(pci.map((each) => [each.address, each]));
  const wayTo = (address: string): string[] => {
    const { parent, kind = "" } = byName.get(address) ?? {};
    return [...(parent === undefined ? [] : wayTo(parent)), `${address} ${kind}`];
  };
  expect(wayTo("0000:de:00.0")).toEqual([
    "0000:d7:00.0 root-port",
    "0000:d8:00.0 upstream-port",
    "0000:d9:01.0 downstream-port",
    "0000:dc:00.0 upstream-port",
    "0000:dd:08.0 downstream-port",
    "0000:de:00.0 endpoint",
  ]);
  expect(wayTo("0000:3d:00.2")).toHaveLength(4);
  expect(pci.map(({ node }) => node)).toEqual([...Array(10).fill(0), ...Array(10).fill(1)]);
});

it("knows what is odd about sparse", () => {
  const { cpus, nodes } = load("sparse.json");
  expect(cpus.filter((cpu) => !cpu.online).map((cpu) => cpu.id)).toEqual([7, 19, 23]);
  expect(nodes.map((node) => node.id)).toEqual([0, 2, 5, 8]);
  expect(nodes.find((node) => node.memoryBytes === 0)?.id).toBe(2);
  expect(nodes.find((node) => node.cpus.length === 0)?.id).toBe(5);
});
