import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Plan } from "../../src/plan/index.ts";
import { formatIdSet, parseIdSet } from "../../src/units/index.ts";
import { plan, problems, recordedHost } from "./planning.ts";

const guest = (vcpus: number, memory: string, partition: object, given: object = {}) => ({
  cpus: { boot: vcpus },
  memory: { size: memory },
  numa: { partition },
  ...given,
});
const pinned = (granularity: string, reserve?: string) => ({
  pinning: { granularity, ...(reserve === undefined ? {} : { reserve }) },
});
const vcpusOf = ({ placement }: Plan) => placement.cells.map(({ vcpus }) => formatIdSet(vcpus));
const nodesOf = ({ placement }: Plan) => placement.cells.map(({ hostNodes }) => formatIdSet(hostNodes ?? []));
const mebibytesOf = ({ placement }: Plan) => placement.cells.map(({ memoryBytes }) => memoryBytes / 2 ** 20);
const pinsOf = ({ placement }: Plan) => placement.vcpus.map(({ hostCpus }) => formatIdSet(hostCpus ?? []));
const topologyOf = ({ options }: Plan) => {
  const smp = options.find((option) => option.option === "smp");
  return smp?.option === "smp" ? [smp.sockets, smp.cores, smp.threads] : [];
};

/** A guest that an expert or a tool described for the same host before: its cells and pins. */
interface Domain {
  readonly cells: readonly { vcpus: string; memoryKib: number; hostNodes?: string; distances: number[] }[];
  readonly pins: Readonly<Record<string, string>>;
}

const domain = (name: string): Domain =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.domain.json`, import.meta.url), "utf8"));

describe.each([
  ["ol8-vnuma", "ol8", guest(16, "32G", {}, pinned("node")), [4, 4, 1]],
  ["anuma", "anuma", guest(16, "64G", { distribution: "round-robin" }, pinned("node")), [16, 1, 1]],
])("the cells of %s", (name, host, profile, topology) => {
  const known = domain(name);
  const planned = plan(profile, { host });

  it("have its vCPUs, memory and distances, and are bound to the host's nodes", () => {
    expect(
      planned.placement.cells.map(({ vcpus, memoryBytes, hostNodes, distances, policy }) => ({
        ...{ vcpus: formatIdSet(vcpus), memoryKib: memoryBytes / 1024, policy },
        ...{ hostNodes: formatIdSet(hostNodes ?? []), distances },
      })),
    ).toEqual(known.cells.map((cell, id) => ({ policy: "bind", hostNodes: String(id), ...cell })));
  });

  it("have its pins", () => {
    for (const [vcpus, hostCpus] of Object.entries(known.pins)) {
      for (const vcpu of parseIdSet(vcpus) ?? []) expect(pinsOf(planned)[vcpu]).toBe(hostCpus);
    }
  });

  it("have processors that no cache joins across cells", () => expect(topologyOf(planned)).toEqual(topology));
});

describe("distribution", () => {
  const vcpus = (partition: object, count = 16, given: object = {}) =>
    plan(guest(count, "16G", partition, given), { host: "ol8" });

  it("siblings has the host's threads, on host siblings", () => {
    const planned = vcpus({ distribution: "siblings" }, 16, pinned("thread", "first-core"));
    expect(vcpusOf(planned)).toEqual(["0-3", "4-7", "8-11", "12-15"]);
    expect(topologyOf(planned)).toEqual([4, 2, 2]);
    expect(pinsOf(planned).map(Number)).toEqual([
      ...[1, 61, 2, 62, 16, 76, 17, 77],
      ...[31, 91, 32, 92, 46, 106, 47, 107],
    ]);
  });

  it("interleave deals cores with their threads", () => {
    const planned = vcpus({ distribution: "interleave" });
    expect(vcpusOf(planned)).toEqual(["0-1,8-9", "2-3,10-11", "4-5,12-13", "6-7,14-15"]);
    expect(topologyOf(planned)).toEqual([8, 1, 2]);
  });

  it("round-robin deals vCPUs", () => {
    expect(vcpusOf(vcpus({ distribution: "round-robin" }))).toEqual([
      "0,4,8,12",
      "1,5,9,13",
      "2,6,10,14",
      "3,7,11,15",
    ]);
  });

  it("gives the first cells a core more, and memory with it, where it does not come out even", () => {
    const planned = vcpus({ distribution: "contiguous" }, 10);
    expect(vcpusOf(planned)).toEqual(["0-2", "3-5", "6-7", "8-9"]);
    expect(mebibytesOf(planned)).toEqual([4916, 4916, 3276, 3276]);
    expect(topologyOf(planned)).toEqual([10, 1, 1]);
  });

  it("keeps to the profile's topology", () => {
    const planned = vcpus({}, 16, { cpus: { boot: 16, topology: { sockets: 4, cores: 2, threads: 2 } } });
    expect(topologyOf(planned)).toEqual([4, 2, 2]);
    const threads = { cpus: { boot: 16, topology: { sockets: 8, cores: 1, threads: 2 } } };
    expect(problems(guest(16, "16G", { distribution: "round-robin" }, threads), { host: "ol8" })[0]).toBe(
      "NUMA_CORE_SPLIT cpus.topology.threads: 2 threads a core with vCPUs dealt round-robin; 1, since threads of a core stay in one cell",
    );
  });
});

describe("mode host", () => {
  it("keeps to the nodes that are named", () => {
    expect(nodesOf(plan(guest(8, "8G", { hostNodes: "0-3,^2" }), { host: "ol8" }))).toEqual(["0", "1", "3"]);
  });

  it("puts more cells than nodes on nodes in pairs, no nearer than another node may be", () => {
    const planned = plan(guest(8, "8G", { hostNodes: "1-2", cells: 4 }), { host: "ol8" });
    expect(nodesOf(planned)).toEqual(["1", "1", "2", "2"]);
    expect(planned.placement.cells[0]?.distances).toEqual([10, 11, 21, 21]);
  });

  it("takes near nodes for fewer cells", () => {
    expect(nodesOf(plan(guest(4, "4G", { cells: 2 }), { host: "anuma" }))).toEqual(["0", "1"]);
  });

  it("has cells on the nodes of the devices first", () => {
    const passthrough = { devices: [{ address: "0000:9b:00.0" }] };
    expect(nodesOf(plan(guest(4, "4G", { cells: 1 }, { passthrough }), { host: "hgx-h200" }))).toEqual(["1"]);
  });
});

describe("mode node", () => {
  const oneNode = (given: object = {}, ledger: { vm: string; exclusiveCpus: number[] }[] = []) =>
    nodesOf(plan(guest(8, "8G", { mode: "node" }, given), { host: "ol8", ledger }));

  it("is on one node, whole", () => expect(oneNode()).toEqual(["0"]));

  it("takes the node with the least left that has enough", () => {
    expect(oneNode({}, [{ vm: "other", exclusiveCpus: [45, 46, 105] }])).toEqual(["3"]);
    const node3 = recordedHost("ol8").nodes[3]?.cpus ?? [];
    expect(oneNode({}, [{ vm: "other", exclusiveCpus: node3.slice(0, 23) }])).toEqual(["0"]);
  });

  it("counts only the cores that threadPolicy may use", () => {
    const { cpus, nodes } = recordedHost("ol8");
    const halves = (nodes[0]?.cpus ?? []).filter((id) => cpus[id]?.siblings[0] === id);
    const ledger = [{ vm: "other", exclusiveCpus: halves }];
    const home = (threadPolicy: string) =>
      nodesOf(plan(guest(8, "8G", { mode: "node" }, { pinning: { threadPolicy } }), { host: "ol8", ledger }));
    expect(["prefer", "isolate", "require"].map(home)).toEqual([["0"], ["3"], ["3"]]);
  });

  it("may have several cells there", () => {
    const planned = plan(guest(8, "8G", { mode: "node", cells: 2, hostNodes: "2" }), { host: "ol8" });
    expect(nodesOf(planned)).toEqual(["2", "2"]);
  });

  it("is on the node of its devices", () => {
    const passthrough = { devices: [{ address: "0000:9b:00.0" }] };
    expect(nodesOf(plan(guest(8, "8G", { mode: "node" }, { passthrough }), { host: "hgx-h200" }))).toEqual([
      "1",
    ]);
  });

  it("has a cell on each node of its devices, where there is room", () => {
    const passthrough = { devices: [{ address: "0000:9b:00.0" }, { address: "0000:18:00.0" }] };
    const near = (vcpus: number) =>
      nodesOf(plan(guest(vcpus, "8G", { mode: "node" }, { passthrough }), { host: "hgx-h200" }));
    expect(near(8)).toEqual(["0", "1"]);
    // One core cannot be on both.
    expect(near(1)).toEqual(["0"]);
  });

  it("takes as few nodes as will do where none has room, near each other", () => {
    const wide = (vcpus: number, host: string) => plan(guest(vcpus, "8G", { mode: "node" }), { host });
    // All are as near; these two have the least memory.
    expect(nodesOf(wide(31, "ol8"))).toEqual(["0", "3"]);
    expect(vcpusOf(wide(31, "ol8"))).toEqual(["0-15", "16-30"]);
    // Node 0 is nearest to 1, 3 and 4, of which no two are near each other.
    expect(nodesOf(wide(80, "anuma"))).toEqual(["0", "1", "2"]);
  });

  it("fills what there is where no equal parts fit, memory in proportion", () => {
    const taken = (node: number, count: number) =>
      (recordedHost("ol8").nodes[node]?.cpus ?? []).slice(0, count);
    const ledger = [{ vm: "other", exclusiveCpus: [...taken(1, 20), ...taken(2, 28), ...taken(3, 30)] }];
    const planned = plan(guest(40, "40G", { mode: "node" }), { host: "ol8", ledger });
    expect([nodesOf(planned), vcpusOf(planned)]).toEqual([
      ["0", "1"],
      ["0-29", "30-39"],
    ]);
    expect(mebibytesOf(planned)).toEqual([30 * 1024, 10 * 1024]);
    expect(topologyOf(planned)).toEqual([40, 1, 1]);
  });

  it("is refused where it fits nowhere, with what each node has", () => {
    expect(problems(guest(31, "8G", { mode: "node", cells: 2 }), { host: "ol8" })[0]).toMatch(
      /^HOST_CPUS_SHORT numa.partition.mode: no room for 31 vCPUs and 8 GiB: node 0 has 30 free CPUs and .*; room for the whole guest on one node$/,
    );
    expect(problems(guest(121, "8G", { mode: "node" }), { host: "ol8" })[0]).toMatch(
      /; room on one node, or on several$/,
    );
  });
});

describe("refuses", () => {
  it.each([
    [guest(2, "2G", {}), "NUMA_PARTITION numa.partition: 4 cells for 2 vCPUs; a core for each cell at least"],
    [
      guest(4, "4G", { hostNodes: "0,7" }),
      "HOST_NODE_ABSENT numa.partition.hostNodes: host node 7, which is not there or has no CPUs or no memory; nodes of this host with both: 0-3",
    ],
    [
      { ...guest(4, "4G", {}), numa: {} },
      "NUMA_PARTITION numa: neither cells nor a partition; one of the two",
    ],
    [
      { ...guest(4, "4G", {}), numa: { partition: {}, cells: [{ cpus: "0-3", memory: "4G" }] } },
      "NUMA_PARTITION numa.partition: a partition beside cells; one of the two",
    ],
  ])("%j", (profile, expected) => expect(problems(profile, { host: "ol8" })).toContain(expected));
});

it("says that memory is short where CPUs are not", () => {
  expect(problems(guest(4, "600G", { mode: "node" }), { host: "ol8" })[0]).toMatch(
    /^HOST_MEMORY_SHORT numa.partition.mode: no room for 4 vCPUs and 600 GiB: node 0 has 30 free CPUs and 12/,
  );
});
