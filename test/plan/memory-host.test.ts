import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { problems, recordedHost, type World } from "./planning.ts";

const sparse: World = { host: "sparse" };
type Cell = { memory: string; hostNodes?: string; policy?: string };
const guest = (cells: Cell[], memory: object = {}) => {
  const gibibytes = cells.reduce((sum, cell) => sum + Number.parseInt(cell.memory, 10), 0);
  return {
    memory: { size: `${gibibytes}G`, ...memory },
    numa: { cells: cells.map((cell, index) => (index === 0 ? { ...cell, cpus: "0-1" } : cell)) },
    pinning: { vcpus: "none" },
  };
};
/** sparse with so many 1 GiB pages free on nodes 0 and 8. */
const withPages = (free: number): World => {
  const host = recordedHost("sparse");
  const nodes = host.nodes.map((node) => ({
    ...node,
    hugepages: [{ pageSizeBytes: 2 ** 30, total: free, free: node.id === 0 || node.id === 8 ? free : 0 }],
  }));
  return { host: { ...host, nodes } satisfies Host };
};

describe("huge pages", () => {
  const pages = { pageSize: "1G" };

  it("must be free on the bound node, whatever others have", () => {
    expect(problems(guest([{ memory: "9G", hostNodes: "0" }], pages), sparse)).toEqual([
      "HOST_HUGEPAGES_SHORT numa.cells[0].hostNodes: host node 0 has 8 free 1 GiB pages left for cell 0, which needs 9; 9 free pages on that node",
    ]);
    expect(problems(guest([{ memory: "9G", hostNodes: "0,5" }], pages), sparse)).toEqual([]);
  });

  it("are counted over all cells of a node", () => {
    const cells = [
      { memory: "5G", hostNodes: "0" },
      { memory: "4G", hostNodes: "0" },
    ];
    expect(problems(guest(cells, pages), sparse)).toEqual([
      "HOST_HUGEPAGES_SHORT numa.cells[1].hostNodes: host node 0 has 3 free 1 GiB pages left for cell 1, which needs 4; 4 free pages on that node",
    ]);
  });

  it("of a cell with a choice come from where no other cell needs them", () => {
    const cells = [{ memory: "8G", hostNodes: "0,8" }, { memory: "2G" }, { memory: "6G", hostNodes: "0" }];
    expect(problems(guest(cells, pages), withPages(8))).toEqual([]);
  });

  it("are not a matter of preference: there are no others to fall back on", () => {
    const cells = [{ memory: "9G", hostNodes: "0", policy: "preferred" }];
    expect(problems(guest(cells, pages), sparse)[0]).toMatch(/^HOST_HUGEPAGES_SHORT/);
  });

  it("of a size that the host has not are refused once", () => {
    const cells = [
      { memory: "1G", hostNodes: "0" },
      { memory: "1G", hostNodes: "8" },
    ];
    expect(problems(guest(cells, { pageSize: "16M" }), sparse)).toEqual([
      "HOST_HUGEPAGE_SIZE memory.pageSize: no 16 MiB pages on this host; one of 2 MiB, 1 GiB",
    ]);
  });
});

describe("ordinary pages", () => {
  it("are refused beyond what a node has", () => {
    expect(problems(guest([{ memory: "40G", hostNodes: "8" }]), sparse)).toEqual([
      "HOST_MEMORY_SHORT numa.cells[0].hostNodes: host node 8 has 32 GiB left for cell 0 of 40 GiB; no more memory than the host has there",
    ]);
    expect(problems(guest([{ memory: "40G", hostNodes: "0,8" }]), sparse)).toEqual([]);
  });

  it("are only warned about when the node is preferred", () => {
    const cells = [{ memory: "40G", hostNodes: "8", policy: "preferred" }];
    expect(problems(guest(cells), sparse)).toEqual([
      "(warning) HOST_MEMORY_SHORT numa.cells[0].hostNodes: host node 8 has 32 GiB left for cell 0 of 40 GiB; no more memory than the host has there",
    ]);
  });

  it("that are in use now are warned about, over all cells of a node; caches do not count", () => {
    // Node 8 has 32 GiB, 30 of them free and 1 reclaimable.
    expect(problems(guest([{ memory: "31G", hostNodes: "8" }]), sparse)).toEqual([]);
    const cells = [
      { memory: "16G", hostNodes: "8" },
      { memory: "16G", hostNodes: "8" },
    ];
    expect(problems(guest(cells), sparse)).toEqual([
      "(warning) HOST_MEMORY_SHORT numa.cells[1].hostNodes: host node 8 has 15 GiB free or reclaimable left for cell 1, which has 16 GiB; 16 GiB, or the start waits for what others give back",
    ]);
  });

  it("of a node without memory are refused once, as a node without memory", () => {
    expect(problems(guest([{ memory: "1G", hostNodes: "2" }]), sparse)).toEqual([
      "HOST_NODE_ABSENT numa.cells[0].hostNodes: host node 2 has no memory; nodes with memory, since the cell's memory is bound to them",
    ]);
  });

  it("of a guest without cells are those of all nodes", () => {
    expect(problems({ memory: { size: "200G" } }, sparse)).toEqual([]);
    expect(problems({ memory: { size: "300G" } }, sparse)).toEqual([
      "HOST_MEMORY_SHORT memory.size: host nodes 0,2,5,8 have 224 GiB left for cell 0 of 300 GiB; no more memory than the host has there",
    ]);
  });
});

describe("what other VMs hold", () => {
  const held = (bytes: number, pageSizeBytes: number, hostNodes: number[]): World => ({
    ...(pageSizeBytes === 0 ? { host: "ol8" } : withPages(8)),
    ledger: [{ vm: "other", exclusiveCpus: [], memory: [{ bytes, pageSizeBytes, hostNodes }] }],
  });

  it("is not counted, though they have not touched it yet", () => {
    expect(problems(guest([{ memory: "20G", hostNodes: "0" }]), held(110 * 2 ** 30, 0, [0]))).toEqual([
      expect.stringMatching(
        /^HOST_MEMORY_SHORT numa.cells\[0\].hostNodes: host node 0 has 1\d\.\d GiB left for cell 0 of 20 GiB/,
      ),
    ]);
    expect(problems(guest([{ memory: "20G", hostNodes: "0" }]), held(110 * 2 ** 30, 0, [1]))).toEqual([]);
  });

  it("of huge pages is not counted twice", () => {
    const pages = { pageSize: "1G" };
    const codes = (heldPages: number) =>
      problems(guest([{ memory: "5G", hostNodes: "0" }], pages), held(heldPages * 2 ** 30, 2 ** 30, [0]));
    expect(codes(3)).toEqual([]);
    expect(codes(4)).toEqual([expect.stringContaining("has 4 free 1 GiB pages left for cell 0")]);
  });
});
