import { describe, expect, it } from "vitest";
import { guestAddresses } from "../../src/plan/guest-addresses.ts";
import { plan } from "./planning.ts";

const cells = [
  { cpus: "0", memory: "512M" },
  { cpus: "1", memory: "512M" },
];

/** Root ports in one slot, each with a switch of four ports. */
const withSwitches = (expander: string, busNr: number, numaNode: number, count: number) => ({
  expander,
  busNr,
  numaNode,
  ports: Array.from({ length: count }, (_, index) => ({
    rootPort: `${expander}-rp${index}`,
    addr: `0.${index}`,
    switch: {
      upstream: `${expander}-sw${index}`,
      downstream: [0, 1, 2, 3].map((port) => ({ port: `${expander}-dp${index}${port}` })),
    },
  })),
});

describe("guestAddresses", () => {
  it("counts below one port before it goes on to the next: as two guests with SeaBIOS and OVMF showed it", () => {
    const tree = [withSwitches("a", 0x20, 0, 4), withSwitches("b", 0x40, 1, 5)];
    const disks = [{ id: "disk", file: "d.raw", format: "raw", bus: "a-dp00" }];
    const at = guestAddresses(plan({ numa: { cells }, pcie: { tree, spareRootPorts: 0 }, disks }));
    const rootAndSwitch = ["a-rp0", "a-sw0", "a-dp00", "a-dp03", "disk"].map((id) => at.get(id));
    expect(rootAndSwitch).toEqual([
      "0000:20:00.0",
      "0000:21:00.0",
      "0000:22:00.0",
      "0000:22:03.0",
      "0000:23:00.0",
    ]);
    expect(["a-rp1", "a-sw1", "a-dp10"].map((id) => at.get(id))).toEqual([
      "0000:20:00.1",
      "0000:27:00.0",
      "0000:28:00.0",
    ]);
    expect(["a-sw2", "a-sw3", "b-sw0", "b-sw4", "b-dp43"].map((id) => at.get(id))).toEqual([
      "0000:2d:00.0",
      "0000:33:00.0",
      "0000:41:00.0",
      "0000:59:00.0",
      "0000:5a:03.0",
    ]);
  });

  it.each([
    ["seabios", "0000:0d:00.0"],
    [{ ovmf: {} }, "0000:0b:00.0"],
  ])("goes by slots, and leaves what ports reserve, as %j does", (firmware, last) => {
    const tree = [
      { rootPort: "last", addr: "8.0" },
      { rootPort: "first", addr: "4.0", busReserve: 3 },
      {
        rootPort: "second",
        addr: "4.1",
        busReserve: 4,
        switch: { upstream: "up", downstream: [{ port: "d" }] },
      },
      { rootPort: "third", addr: "4.2", busReserve: 2, hotplug: false },
    ];
    const buses = ["last", "first", "d"];
    const disks = buses.map((bus) => ({ id: `on-${bus}`, file: `${bus}.raw`, format: "raw", bus }));
    const changes = { rng: false, guestAgent: false, machine: { accel: "kvm", firmware }, disks };
    const planned = plan({ ...changes, pcie: { tree, spareRootPorts: 0 } }, { host: "hgx-h200" });
    const at = guestAddresses(planned);
    // 2 to 4 stay for bridges that come later; 8 and 9 too, since 6 and 7 are below the switch.
    expect(["on-first", "up", "on-d"].map((id) => at.get(id))).toEqual([
      "0000:01:00.0",
      "0000:05:00.0",
      "0000:07:00.0",
    ]);
    expect(at.get("on-last")).toBe(last);
  });

  it("gives the bus of a bridge to conventional PCI a number as well", () => {
    const devices = [
      { id: "rp0", driver: "pcie-root-port", bus: "pcie.0", slot: 1, function: 0, numaNode: undefined },
      { id: "bridge", driver: "pcie-pci-bridge", bus: "rp0", slot: 0, function: 0, numaNode: undefined },
      { id: "old", driver: "vfio-pci", bus: "bridge", slot: 3, function: 0, numaNode: undefined },
      { id: "rp1", driver: "pcie-root-port", bus: "pcie.0", slot: 1, function: 1, numaNode: undefined },
      { id: "nic", driver: "vfio-pci", bus: "rp1", slot: 0, function: 0, numaNode: undefined },
    ];
    const at = guestAddresses({ devices, options: [] });
    expect([at.get("bridge"), at.get("old"), at.get("nic")]).toEqual([
      "0000:01:00.0",
      "0000:02:03.0",
      "0000:03:00.0",
    ]);
  });
});
