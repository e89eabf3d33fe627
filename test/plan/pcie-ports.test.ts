import { expect, it } from "vitest";
import { device, plan, problems } from "./planning.ts";

const bare = { rng: false, guestAgent: false };
const portNumbers = (value: string | undefined) =>
  /port=(\d+),chassis=(\d+),slot=(\d+)/.exec(value ?? "")?.slice(1);

it("gives each port a chassis and a slot of its own, around those that the profile fixes", () => {
  const tree = [{ rootPort: "a" }, { rootPort: "b", chassis: 1, slot: 2 }, { rootPort: "c" }];
  const planned = plan({ ...bare, pcie: { tree, spareRootPorts: 1 } });
  // port is slot * 8 + function of its place.
  expect(["a", "b", "c", "spare0"].map((id) => portNumbers(device(planned, id)))).toEqual([
    ["8", "2", "1"],
    ["9", "1", "2"],
    ["10", "3", "3"],
    ["11", "4", "4"],
  ]);
});

it("refuses two ports with one chassis or slot number", () => {
  const tree = [
    { rootPort: "a", chassis: 7, slot: 9 },
    { rootPort: "b", chassis: 7 },
    { rootPort: "c", slot: 9 },
  ];
  expect(problems({ pcie: { tree } })).toEqual([
    "PCIE_CHASSIS pcie.tree[1].chassis: chassis 7 of b, which a has; a chassis number of its own: QEMU refuses two equal pairs, and guests name slots by it",
    "PCIE_CHASSIS pcie.tree[2].slot: slot 9 of c, which a has; a slot number of its own: QEMU refuses two equal pairs, and guests name slots by it",
  ]);
});

it("spells what a port reserves and allows", () => {
  const port = {
    rootPort: "rp",
    hotplug: false,
    ioReserve: "4K",
    memReserve: "2M",
    pref64Reserve: "64G",
    busReserve: 2,
    speed: "8",
    width: 4,
  };
  const planned = plan({ ...bare, pcie: { tree: [port], spareRootPorts: 0 } });
  expect(device(planned, "rp")).toBe(
    "pcie-root-port,id=rp,bus=pcie.0,addr=0x1,port=8,chassis=1,slot=1,hotplug=off,bus-reserve=2,io-reserve=4096,mem-reserve=2097152,pref64-reserve=68719476736,x-speed=8,x-width=4",
  );
});

it("refuses link speeds that the QEMU does not know", () => {
  const pcie = { tree: [{ rootPort: "rp", speed: "32" }] };
  expect(problems({ pcie })).toEqual([
    "QEMU_FEATURE pcie.tree[0].speed: 32 GT/s with QEMU 7.2; QEMU 9.0 or newer for more than 16 GT/s",
  ]);
});

it("refuses a 256th port", () => {
  const switches = Array.from({ length: 8 }, (_, index) => ({
    rootPort: `rp${index}`,
    switch: {
      upstream: `up${index}`,
      downstream: Array.from({ length: 31 }, (_, port) => ({ port: `d${index}-${port}` })),
    },
  }));
  expect(problems({ ...bare, pcie: { tree: switches, spareRootPorts: 0 } })).toEqual([
    "PCIE_BUS_NUMBERS pcie: 265 bus numbers on pcie.0: its own, and one for each port; 256 at most",
    "PCIE_CHASSIS pcie: 256 ports; 255 ports at most, each with a chassis number of its own",
  ]);
});

it("warns about more hot-plug downstream ports than old OVMF has I/O space for", () => {
  const profile = (count: number, hotplug: boolean) => ({
    machine: { firmware: { ovmf: { code: "/code", vars: "/vars" } } },
    pcie: {
      tree: [
        {
          rootPort: "rp",
          switch: {
            upstream: "up",
            downstream: Array.from({ length: count }, (_, port) => ({ port: `d${port}`, hotplug })),
          },
        },
      ],
    },
  });
  expect(problems(profile(11, true))).toEqual([
    "(warning) PCIE_PLACEMENT pcie.tree: 11 downstream ports with hot-plug under OVMF; 10 at most for OVMF older than edk2-stable202308: the others get no address space",
  ]);
  expect(problems(profile(10, true))).toEqual([]);
  expect(problems(profile(32, false))).toEqual([]);
  expect(problems({ ...profile(32, true), machine: {} })).toEqual([]);
});

it("lets a downstream port be hot-plugged where nothing sits at the start, unless the profile says", () => {
  const down = (port: string, hotplug?: boolean) => ({ port, ...(hotplug === undefined ? {} : { hotplug }) });
  const downstream = [
    down("empty"),
    down("used"),
    down("said", true),
    { ...down("above"), switch: { upstream: "up1", downstream: [down("below")] } },
    down("closed", false),
  ];
  const planned = plan({
    ...bare,
    pcie: { tree: [{ rootPort: "rp", switch: { upstream: "up", downstream } }], spareRootPorts: 0 },
    standIns: [
      { id: "a", device: "display", bus: "used" },
      { id: "b", device: "display", bus: "said" },
    ],
  });
  const isFixed = (id: string) => device(planned, id)?.includes("hotplug=off");
  const ids = ["empty", "used", "said", "above", "below", "closed"];
  expect(ids.filter(isFixed)).toEqual(["used", "above", "closed"]);
});

it("lets spare ports keep a window: a power of two, and twice that for SeaBIOS", () => {
  const pcie = { spareRootPorts: 2, spareReserve: "48G" };
  const kept = (changes: object) => {
    const port = device(plan({ ...bare, pcie, ...changes }), "spare1");
    return Number(/pref64-reserve=(\d+)/.exec(port ?? "")?.[1]) / 2 ** 30;
  };
  expect(kept({ machine: { firmware: { ovmf: { code: "/code", vars: "/vars" } } } })).toBe(64);
  expect(kept({})).toBe(128);
  expect(device(plan(bare), "spare1")).not.toContain("pref64-reserve");
});
