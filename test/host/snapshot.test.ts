import { readFileSync } from "node:fs";
import { expect, expectTypeOf, it } from "vitest";
import type { z } from "zod";
import { readSnapshot, writeSnapshot } from "../../src/host/elsewhere.ts";
import type { Host } from "../../src/host/index.ts";
import type { hostSchema } from "../../src/host/snapshot.ts";
import { behindSwitch } from "./pci-functions.ts";

const text = readFileSync(new URL("../hosts/sparse.json", import.meta.url), "utf8");

function host(): Host {
  const result = readSnapshot(text);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.value;
}

/** The problems of the recorded host after one change. */
function problemsAfter(change: (data: ReturnType<typeof JSON.parse>) => void): string[] {
  const data = JSON.parse(text);
  data.pci = structuredClone(behindSwitch);
  data.iommu = { enabled: true, vfioPci: "loaded", iommufd: true };
  change(data);
  const result = readSnapshot(JSON.stringify(data));
  if (result.ok) return [];
  expect(new Set(result.diagnostics.map(({ code }) => code))).toEqual(new Set(["HOST_SNAPSHOT"]));
  return result.diagnostics.map(({ path, found }) => `${path.join(".")}: ${found}`);
}

it("writes the bytes that it read", () => expect(writeSnapshot(host())).toBe(text));

it("writes the same bytes whatever order the keys came in", () => {
  const { version, processor, cpus, nodes, kvm, qemu } = host();
  const reversed = { qemu, kvm, nodes, cpus, processor, version } as Host;
  expect(writeSnapshot(reversed)).toBe(text);
});

type Writable<T> = T extends object ? { -readonly [Key in keyof T]: Writable<T[Key]> } : T;

it("has every key of a host, and no other", () =>
  expectTypeOf<z.infer<typeof hostSchema>>().toEqualTypeOf<Writable<Host>>());

it("carries what only some hosts have", () => {
  const firmware = [{ code: "/code.fd", vars: "/vars.fd", secureBoot: true }];
  const full: Host = {
    ...host(),
    firmware,
    kvm: { usable: false, reason: "not tried", untried: true },
    pci: behindSwitch.map((each) => ({ ...each, hostUse: "swap" })),
    iommu: { enabled: true, vfioPci: "available", iommufd: false, addressBits: 48 },
  };
  expect(readSnapshot(writeSnapshot(full))).toEqual({ ok: true, value: full, warnings: [] });
});

it("does without QEMU, reclaimable memory and an alias", () => {
  const { qemu: _, ...rest } = host();
  const bare: Host = { ...rest, nodes: rest.nodes.map(({ reclaimableBytes: _, ...node }) => node) };
  expect(readSnapshot(writeSnapshot(bare))).toEqual({ ok: true, value: bare, warnings: [] });
});

it.each<[string, (data: ReturnType<typeof JSON.parse>) => void, string]>([
  ["another version", (data) => Object.assign(data, { version: 2 }), "version: "],
  ["an unknown key", (data) => Object.assign(data.kvm, { serial: "x" }), 'kvm: unknown key "serial"'],
  ["a missing key", (data) => delete data.nodes[1].freeBytes, "nodes.1.freeBytes: "],
  ["a wrong type", (data) => Object.assign(data.cpus[3], { online: "yes" }), "cpus.3.online: "],
  ["no CPU", (data) => Object.assign(data, { cpus: [] }), "cpus: no CPU"],
  ["no node", (data) => Object.assign(data, { nodes: [] }), "nodes: no node"],
  ["a CPU twice", (data) => data.cpus.splice(1, 0, data.cpus[0]), "cpus.1.id: 0 after 0"],
  ["nodes out of order", (data) => data.nodes.reverse(), "nodes.1.id: 5 after 8"],
  [
    "a CPU that its node does not have",
    (data) => Object.assign(data.cpus[0], { node: 5 }),
    "cpus.0.node: CPU 0 is not among the CPUs of node 5",
  ],
  [
    "siblings without itself",
    (data) => Object.assign(data.cpus[0], { siblings: [12] }),
    "cpus.0.siblings: siblings that do not fit",
  ],
  [
    "a node's CPU that is not there",
    (data) => data.nodes[2].cpus.push(77),
    "nodes.2.cpus: CPU 77 is not present",
  ],
  ["a node's CPU that is offline", (data) => data.nodes[1].cpus.push(7), "nodes.1.cpus: CPU 7 is offline"],
  [
    "too few distances",
    (data) => data.nodes[3].distances.pop(),
    "nodes.3.distances: 3 distances for 4 nodes",
  ],
  ["PCI functions without facts of the IOMMU", (data) => delete data.iommu, 'iommu: no "iommu"'],
  ["facts of the IOMMU without PCI functions", (data) => delete data.pci, 'pci: no "pci"'],
  [
    "a PCI address twice",
    (data) => data.pci.splice(1, 0, data.pci[0]),
    "pci.1.address: 0000:17:01.0 after 0000:17:01.0",
  ],
  [
    "PCI addresses out of order, by number",
    (data) => Object.assign(data.pci[6], { address: "0000:02:00.0" }),
    "pci.6.address: 0000:02:00.0 after 0000:1b:00.0",
  ],
  [
    "a parent that is not there",
    (data) => Object.assign(data.pci[4], { parent: "0000:19:02.0" }),
    "pci.4.parent: 0000:19:02.0 is not there",
  ],
  [
    "a parent that is no bridge",
    (data) => Object.assign(data.pci[5], { parent: "0000:1a:00.0" }),
    "pci.5.parent: 0000:1a:00.0 is an endpoint",
  ],
  [
    "a parent on another root bus",
    (data) => Object.assign(data.pci[4], { rootBus: "0000:80" }),
    "pci.4.parent: 0000:19:00.0 is on root bus 0000:17, 0000:1a:00.0 on 0000:80",
  ],
  [
    "bridges in a ring",
    (data) => Object.assign(data.pci[0], { parent: "0000:19:00.0" }),
    "pci.1.parent: 0000:18:00.0 is above itself",
  ],
  [
    "a virtual function of nothing",
    (data) => Object.assign(data.pci[6], { physicalFunction: "0000:1c:00.0" }),
    "pci.6.physicalFunction: 0000:1c:00.0 is not there",
  ],
])("refuses %s", (_, change, problem) => {
  expect(problemsAfter(change)).toContainEqual(expect.stringContaining(problem));
});

it("tells all problems at once", () => {
  const problems = problemsAfter((data) => {
    data.cpus[0].siblings = [];
    data.nodes[0].distances = [10];
  });
  expect(problems).toHaveLength(2);
});

it("refuses what is no JSON, with a fix", () => {
  expect(readSnapshot("{")).toMatchObject({
    ok: false,
    diagnostics: [
      {
        code: "HOST_SNAPSHOT",
        path: [],
        needed: "JSON text",
        fix: expect.stringContaining("qlaunch host snapshot"),
      },
    ],
  });
});
