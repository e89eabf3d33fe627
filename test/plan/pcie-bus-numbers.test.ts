import { describe, expect, it } from "vitest";
import { plan, problems } from "./planning.ts";

/** Expander buses with so many ports each; a number behind them is their busNr. */
const tree = (...roots: [ports: number, busNr?: number][]) => ({
  rng: false,
  guestAgent: false,
  pcie: {
    spareRootPorts: 0,
    tree: roots.map(([ports, busNr], index) => ({
      expander: `pxb${index}`,
      ...(busNr === undefined ? {} : { busNr }),
      ports: Array.from({ length: ports }, (_, port) => ({ rootPort: `p${index}-${port}` })),
    })),
  },
});
const numbers = (...roots: Parameters<typeof tree>) =>
  plan(tree(...roots)).devices.flatMap((device) => device.busNr ?? []);

describe("computed numbers", () => {
  it.each<[Parameters<typeof tree>, number[]]>([
    [[[1]], [254]],
    [[[0]], [255]],
    [
      [[1], [1]],
      [252, 254],
    ],
    [
      [[4], [2]],
      [248, 253],
    ],
    [
      [[1, 254], [1]],
      [254, 252],
    ],
    [
      [[1], [1, 254]],
      [252, 254],
    ],
    [
      [[1, 100], [31], [8]],
      [100, 215, 247],
    ],
    // A gap of 3 between fixed ones takes a budget of 3, and no more.
    [
      [[1, 254], [0, 250], [2]],
      [254, 250, 251],
    ],
    [
      [[1, 254], [0, 250], [3]],
      [254, 250, 246],
    ],
  ])("%j: %j", (roots, expected) => expect(numbers(...roots)).toEqual(expected));

  it("leave room for a switch and for reserved numbers", () => {
    const port = {
      rootPort: "rp",
      busReserve: 3,
      switch: { upstream: "up", downstream: [{ port: "d0" }, { port: "d1" }] },
    };
    const pcie = { tree: [{ expander: "pxb", ports: [port] }] };
    // Itself, the root port, 3 reserved, the upstream port and 2 downstream ports.
    expect(plan({ pcie }).devices[0]?.busNr).toBe(256 - 8);
  });
});

describe("refused", () => {
  it.each<[string, Parameters<typeof tree>, string[]]>([
    [
      "overlapping ones",
      [
        [4, 8],
        [1, 10],
      ],
      [
        "PCIE_BUS_NUMBERS pcie.tree[1].busNr: pxb1 starts at bus 10, and pxb0 takes 8-12; 13 or more: each bus and each port below it takes a number",
      ],
    ],
    [
      "equal ones",
      [
        [1, 8],
        [1, 8],
      ],
      [
        "PCIE_BUS_NUMBERS pcie.tree[1].busNr: pxb1 starts at bus 8, and pxb0 takes 8-9; 10 or more: each bus and each port below it takes a number",
      ],
    ],
    [
      "two within a third",
      [
        [30, 8],
        [1, 10],
        [1, 20],
      ],
      ["pxb1 starts at bus 10, and pxb0 takes 8-38", "pxb2 starts at bus 20, and pxb0 takes 8-38"],
    ],
    [
      "one that runs past the end",
      [[1, 255]],
      [
        "PCIE_BUS_NUMBERS pcie.tree[0].busNr: pxb0 starts at bus 255 and takes 2 numbers, up to 256; 255 at most: each bus and each port below it takes a number",
      ],
    ],
  ])("%s", (_, roots, expected) => {
    const found = problems(tree(...roots));
    expect(found).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(found[index]).toContain(text);
  });

  it("one among the numbers of pcie.0", () => {
    const changes = tree([1, 4]);
    const pcie = { ...changes.pcie, spareRootPorts: 6 };
    expect(problems({ ...changes, pcie })).toEqual([
      "PCIE_BUS_NUMBERS pcie.tree[0].busNr: pxb0 starts at bus 4, and pcie.0 takes 0-6; 7 or more: each bus and each port below it takes a number",
    ]);
  });

  it("what does not fit in any gap", () => {
    expect(
      problems(tree([1, 30], [1, 60], [1, 90], [1, 120], [1, 150], [1, 180], [1, 210], [1, 240], [31])),
    ).toEqual([
      "PCIE_BUS_NUMBERS pcie.tree[8]: no room for the 32 bus numbers of pxb8: pcie.0 takes 1, pxb0 2, pxb1 2, pxb2 2, pxb3 2, pxb4 2, pxb5 2, pxb6 2, pxb7 2; 256 bus numbers or fewer in all, in one piece for each expander bus",
    ]);
  });

  it("fewer kept by a port than there are below it", () => {
    const inner = { upstream: "inner", downstream: [{ port: "d1" }] };
    const outer = { upstream: "outer", downstream: [{ port: "d0", switch: inner }, { port: "d2" }] };
    const pcie = (busReserve: number) => ({ tree: [{ rootPort: "rp", busReserve, switch: outer }] });
    expect(problems({ pcie: pcie(4) })).toEqual([
      "PCIE_BUS_NUMBERS pcie.tree[0].busReserve: 4 bus numbers for what is below rp; 5 at least: one for each port below",
    ]);
    expect(problems({ pcie: pcie(5) })).toEqual([]);
  });

  it("more than 256 on pcie.0 alone", () => {
    const ports = Array.from({ length: 30 }, (_, index) => ({
      rootPort: `rp${index}`,
      busReserve: 8,
    }));
    expect(problems({ pcie: { tree: ports, spareRootPorts: 0 }, rng: false, guestAgent: false })).toEqual([
      "PCIE_BUS_NUMBERS pcie: 271 bus numbers on pcie.0: its own, and one for each port; 256 at most",
    ]);
  });
});
