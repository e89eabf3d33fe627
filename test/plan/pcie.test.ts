import { describe, expect, it } from "vitest";
import { device, plan, problems } from "./planning.ts";

const bare = { rng: false, guestAgent: false };
const network = (id: string, bus?: string) => ({ id, user: {}, ...(bus === undefined ? {} : { bus }) });
const cells = {
  cells: [
    { cpus: "0", memory: "512M" },
    { cpus: "1", memory: "512M" },
  ],
};
const placesOf = (changes: object) =>
  Object.fromEntries(
    plan({ ...bare, ...changes }).devices.map(({ id, bus, slot, function: fn }) => [
      id,
      `${bus} ${slot}.${fn}`,
    ]),
  );

describe("a device", () => {
  it("without a bus gets a root port of its own; ports share slots", () => {
    expect(placesOf({ networks: [network("a"), network("b")] })).toEqual({
      "rp-a": "pcie.0 1.0",
      a: "rp-a 0.0",
      "rp-b": "pcie.0 1.1",
      b: "rp-b 0.0",
      spare0: "pcie.0 1.2",
      spare1: "pcie.0 1.3",
    });
    const planned = plan({ ...bare, networks: [network("a"), network("b")] });
    expect(device(planned, "rp-a")).toContain("addr=0x1,multifunction=on");
    expect(device(planned, "rp-b")).toContain("addr=0x1.0x1,port=9");
  });

  it("on an expander bus gets a port there, where only bridges may be", () => {
    const pcie = { tree: [{ expander: "pxb" }], spareRootPorts: 0 };
    expect(placesOf({ pcie, networks: [network("a", "pxb")] })).toEqual({
      pxb: "pcie.0 1.0",
      "rp-a": "pxb 0.0",
      a: "rp-a 0.0",
    });
  });

  it("on pcie.0 by the profile's wish sits there itself", () => {
    const pcie = { spareRootPorts: 0 };
    expect(placesOf({ pcie, networks: [network("a", "pcie.0")] })).toEqual({ a: "pcie.0 1.0" });
  });

  it("is on the cell of its expander bus, through ports and switches", () => {
    const tree = [
      {
        expander: "pxb",
        numaNode: 1,
        ports: [
          { rootPort: "rp", switch: { upstream: "up", downstream: [{ port: "down" }] } },
          { rootPort: "rp2" },
        ],
      },
    ];
    const networks = [network("a", "down"), network("b", "rp2"), network("c")];
    const { devices } = plan({ ...bare, numa: cells, pcie: { tree }, networks });
    const nodes = Object.fromEntries(devices.map((entry) => [entry.id, entry.numaNode]));
    expect(nodes).toMatchObject({
      pxb: 1,
      rp: 1,
      up: 1,
      down: 1,
      a: 1,
      rp2: 1,
      b: 1,
      "rp-c": undefined,
      c: undefined,
    });
  });

  it("hangs below switches in switches, each port and switch with a bus number", () => {
    const inner = { upstream: "up2", downstream: [{ port: "down2" }, { port: "down3" }] };
    const outer = { upstream: "up", downstream: [{ port: "down", switch: inner }, { port: "down1" }] };
    const tree = [{ expander: "pxb", ports: [{ rootPort: "rp", switch: outer }] }];
    const changes = { ...bare, pcie: { tree, spareRootPorts: 0 }, networks: [network("a", "down3")] };
    expect(placesOf(changes)).toEqual({
      pxb: "pcie.0 1.0",
      rp: "pxb 0.0",
      up: "rp 0.0",
      down: "up 0.0",
      down1: "up 1.0",
      up2: "down 0.0",
      down2: "up2 0.0",
      down3: "up2 1.0",
      a: "down3 0.0",
    });
    expect(device(plan(changes), "pxb")).toContain("bus_nr=248");
    expect(problems({ ...changes, networks: [network("a", "down")] })).toEqual([
      "PCIE_PLACEMENT networks[0].bus: a on down, which takes the ports of a switch; a downstream port of the switch",
    ]);
  });

  it("comes after what it hangs on", () => {
    const tree = [
      { rootPort: "rp", switch: { upstream: "up", downstream: [{ port: "down" }] } },
      { expander: "pxb", ports: [{ rootPort: "rp2" }] },
    ];
    const { devices } = plan({ pcie: { tree }, networks: [network("a", "down"), network("b", "rp2")] });
    const order = devices.map((entry) => entry.id);
    for (const { id, bus } of devices) {
      if (bus !== "pcie.0") expect(order.indexOf(bus)).toBeLessThan(order.indexOf(id));
    }
  });
});

describe("places that the profile fixes", () => {
  it("are taken before the others are computed", () => {
    const tree = [{ rootPort: "first" }, { expander: "pxb" }, { rootPort: "fixed", addr: "1.0" }];
    expect(placesOf({ pcie: { tree, spareRootPorts: 0 } })).toEqual({
      first: "pcie.0 2.0",
      pxb: "pcie.0 3.0",
      fixed: "pcie.0 1.0",
    });
  });

  it("may share a slot: function 0 says that there are others", () => {
    const tree = [
      { rootPort: "other", addr: "5.3" },
      { expander: "pxb", addr: "0x5" },
    ];
    const planned = plan({ ...bare, pcie: { tree, spareRootPorts: 0 } });
    expect(device(planned, "pxb")).toContain("addr=0x5,multifunction=on,bus_nr=255");
    expect(device(planned, "other")).toContain("addr=0x5.0x3,port=43");
  });

  it.each([
    [
      "a taken one",
      [
        { rootPort: "a", addr: "4" },
        { rootPort: "b", addr: "4.0" },
      ],
      "PCIE_PLACEMENT pcie.tree[1].addr: b at 4.0 on pcie.0, where a is; a free slot and function",
    ],
    [
      "the board's own",
      [{ rootPort: "a", addr: "1f.3" }],
      "PCIE_PLACEMENT pcie.tree[0].addr: a at 1f.3 on pcie.0, where the ICH9 is; a free slot and function",
    ],
    [
      "slot 0",
      [{ expander: "a", addr: "0" }],
      "PCIE_PLACEMENT pcie.tree[0].addr: a at 0 on pcie.0, where the memory controller is; a free slot and function",
    ],
    [
      "one beside an empty function 0",
      [{ rootPort: "a", addr: "4.1" }],
      "PCIE_PLACEMENT pcie.tree[0].addr: a at 0x4.0x1 on pcie.0 with nothing at function 0; function 0 in the same slot: without it the guest sees none of the others",
    ],
    [
      "that of an expander bus, too",
      [{ expander: "a", addr: "4.1" }],
      "PCIE_PLACEMENT pcie.tree[0].addr: a at 0x4.0x1 on pcie.0 with nothing at function 0; function 0 in the same slot: without it the guest sees none of the others",
    ],
  ])("refuses %s", (_, tree, problem) => expect(problems({ pcie: { tree } })).toEqual([problem]));
});

describe("a full bus", () => {
  const ports = (count: number) => Array.from({ length: count }, (_, index) => ({ rootPort: `p${index}` }));

  it("refuses the 33rd port of an expander bus", () => {
    expect(problems({ pcie: { tree: [{ expander: "pxb", ports: ports(32) }] } })).toEqual([]);
    expect(problems({ pcie: { tree: [{ expander: "pxb", ports: ports(33) }] } })).toEqual([
      "PCIE_BUS_FULL pcie.tree[0].ports[32]: p32 on pxb, whose 32 slots are taken; 32 slots a bus at most",
    ]);
  });

  it("refuses the 33rd port of a switch", () => {
    const downstream = Array.from({ length: 33 }, (_, index) => ({ port: `d${index}` }));
    const tree = [{ rootPort: "rp", switch: { upstream: "up", downstream } }];
    expect(problems({ pcie: { tree } })).toEqual([
      "PCIE_BUS_FULL pcie.tree[0].switch.downstream[32]: d32 on up, whose 32 slots are taken; 32 slots a bus at most",
    ]);
  });

  it("refuses the 31st device that sits on pcie.0 itself: two slots are the board's", () => {
    const networks = Array.from({ length: 31 }, (_, index) => network(`n${index}`, "pcie.0"));
    expect(problems({ ...bare, networks, pcie: { spareRootPorts: 0 } })).toEqual([
      "PCIE_BUS_FULL networks[30].bus: n30 on pcie.0, whose 32 slots are taken; a free slot",
    ]);
  });

  it("refuses a second device on a port", () => {
    const pcie = { tree: [{ rootPort: "rp" }] };
    expect(problems({ pcie, networks: [network("a", "rp"), network("b", "rp")] })).toEqual([
      "PCIE_BUS_FULL networks[1].bus: b on rp, where a is; a port without a device: a port takes one",
    ]);
  });
});

describe("a bus that cannot be", () => {
  const tree = [{ rootPort: "rp", switch: { upstream: "up", downstream: [{ port: "down" }] } }];

  it("one that is not in the tree", () => {
    expect(problems({ pcie: { tree }, networks: [network("a", "rq")] })).toEqual([
      'ID_UNKNOWN networks[0].bus: bus "rq", which is not in pcie.tree; one of pcie.0, down',
    ]);
  });

  it.each(["rp", "up"])("%s, where a switch is", (bus) => {
    expect(problems({ pcie: { tree }, networks: [network("a", bus)] })).toEqual([
      `PCIE_PLACEMENT networks[0].bus: a on ${bus}, which takes the ports of a switch; a downstream port of the switch`,
    ]);
  });

  it("one of a cell that the guest does not have", () => {
    const pcie = { tree: [{ expander: "pxb", numaNode: 2 }] };
    expect(problems({ numa: cells, pcie })).toEqual([
      "PCIE_PLACEMENT pcie.tree[0].numaNode: pxb on cell 2, and the guest has cells 0-1; a cell of the guest",
    ]);
    expect(problems({ pcie })).toEqual([
      "PCIE_PLACEMENT pcie.tree[0].numaNode: pxb on cell 2, and the guest has no NUMA cells; a cell of the guest",
    ]);
  });
});

it("a device without a bus goes to the port that is named after it", () => {
  const tree = [
    { rootPort: "rp-vserial", addr: "6.0" },
    { rootPort: "rp-rng0", addr: "7.0" },
  ];
  const { devices } = plan({ pcie: { tree, spareRootPorts: 0 } });
  const placeOf = (id: string) => devices.find((entry) => entry.id === id)?.bus;
  expect([placeOf("vserial"), placeOf("rng0")]).toEqual(["rp-vserial", "rp-rng0"]);
  expect(devices.filter(({ driver }) => driver === "pcie-root-port")).toHaveLength(2);
});
