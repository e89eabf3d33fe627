import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { recordHosts } from "../../scripts/record-hosts.ts";
import { type Host, readSnapshot } from "../../src/host/index.ts";

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

it("knows what is odd about sparse", () => {
  const { cpus, nodes } = load("sparse.json");
  expect(cpus.filter((cpu) => !cpu.online).map((cpu) => cpu.id)).toEqual([7, 19, 23]);
  expect(nodes.map((node) => node.id)).toEqual([0, 2, 5, 8]);
  expect(nodes.find((node) => node.memoryBytes === 0)?.id).toBe(2);
  expect(nodes.find((node) => node.cpus.length === 0)?.id).toBe(5);
});
