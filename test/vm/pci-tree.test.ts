import { describe, expect, it } from "vitest";
import type { PciBusInfo, PciDeviceInfo, PciInfo, PciMemoryRegion } from "../../src/qmp/index.ts";
import { awaitPciTree } from "../../src/vm/await-pci.ts";
import { plannedHotplugPorts, readPciTree } from "../../src/vm/pci-tree.ts";
import { plan } from "../plan/planning.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const closed = { base: 0xfff00000, limit: 0xfffff };
const open = { base: 0xc0000000, limit: 0xc01fffff };

const region = (bar: number, address: number, more: Partial<PciMemoryRegion> = {}): PciMemoryRegion => ({
  bar,
  type: "memory",
  address,
  size: 2 ** 30,
  ...more,
});
const device = (qdev_id: string, regions: PciMemoryRegion[] = []): PciDeviceInfo => ({
  bus: 0,
  slot: 0,
  function: 0,
  class_info: { class: 0 },
  id: { device: 0, vendor: 0 },
  irq_pin: 0,
  qdev_id,
  regions,
});
const port = (
  qdev_id: string,
  devices: PciDeviceInfo[] = [],
  bus: Partial<PciBusInfo> = {},
): PciDeviceInfo => ({
  ...device(qdev_id),
  pci_bridge: {
    bus: {
      number: 0,
      secondary: 1,
      subordinate: 1,
      io_range: closed,
      memory_range: open,
      prefetchable_range: closed,
      ...bus,
    },
    devices,
  },
});
const none = { secondary: 0, memory_range: closed };
const read = (devices: PciDeviceInfo[], hotplug: string[] = []) =>
  readPciTree([{ bus: 0, devices }], new Set(hotplug));

describe("the PCI tree in QEMU's view", () => {
  it("is whole when every bridge has a number and every memory BAR an address", () => {
    const gpu = device("gpu0", [region(0, 0xc0000000), region(2, 0x40_0000_0000)]);
    expect(read([port("rp0", [gpu]), device("", [region(0, -1)])])).toEqual({
      numbered: true,
      deadBridges: [],
      unmappedBars: [],
      problems: [],
    });
  });

  it("has nothing to tell before the firmware has run", () => {
    const untouched = [port("rp0", [], none), port("rp1", [], none), device("vga", [region(0, -1)])];
    expect(read(untouched)).toMatchObject({ numbered: false, deadBridges: [], unmappedBars: [] });
    expect(read(untouched).problems).toEqual(["the firmware has not numbered the PCI buses yet"]);
    expect(read([device("vga", [region(0, -1)])]).numbered).toBe(false);
    expect(read([device("vga", [region(0, 0xc0000000)])]).numbered).toBe(true);
    expect(read([]).numbered).toBe(true);
  });

  it("names BARs without an address, below switches as well, and no ROM or I/O BAR", () => {
    const gpu = device("gpu0", [
      region(2, -1, { size: 2 ** 38 }),
      region(6, -1),
      region(5, -1, { type: "io" }),
    ]);
    const state = read([port("rp0", [port("up0", [port("down0", [gpu])])])]);
    expect(state.unmappedBars).toEqual([{ device: "gpu0", bar: 2, sizeBytes: 2 ** 38 }]);
    expect(state.problems).toEqual(["without an address: BAR 2 of gpu0 (256 GiB)"]);
  });

  it("names dead bridges: without a number, or hot-plug ports without a window", () => {
    const bare = { memory_range: closed };
    const ports = [port("rp0"), port("rp1", [], none), port("spare0", [], bare), port("fixed", [], bare)];
    const state = read(ports, ["rp0", "rp1", "spare0"]);
    expect(state.deadBridges).toEqual(["rp1", "spare0"]);
    expect(state.problems).toEqual(["dead ports, below which the guest sees nothing: rp1, spare0"]);
  });

  it("names five, and how many more", () => {
    const ports = [port("rp"), ...Array.from({ length: 7 }, (_, index) => port(`d${index}`, [], none))];
    expect(read(ports).problems[0]).toMatch(/: d0, d1, d2, d3, d4 and 2 more$/);
  });
});

it("a plan's hot-plug ports are those that take a device later", () => {
  const downstream = [{ port: "empty" }, { port: "used" }];
  const tree = [{ rootPort: "rp0", hotplug: false, switch: { upstream: "up0", downstream } }];
  const planned = plan({
    rng: false,
    guestAgent: false,
    pcie: { tree, spareRootPorts: 1 },
    standIns: [{ id: "gpu0", device: "display", bus: "used" }],
  });
  expect([...plannedHotplugPorts(planned)]).toEqual(["empty", "spare0"]);
});

describe("waiting for the firmware", () => {
  const done: PciInfo[] = [{ bus: 0, devices: [port("rp0")] }];
  const early: PciInfo[] = [{ bus: 0, devices: [port("rp0", [], none)] }];

  /** A machine whose clock goes on with each sleep, and QEMU's answers one after the other. */
  const waiting = (answers: PciInfo[][], signal?: AbortSignal) => {
    let now = 0;
    let asked = 0;
    const clock = {
      now: () => now,
      elapsedMs: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
    const execute = async () => answers[Math.min(asked++, answers.length - 1)];
    return awaitPciTree({
      system: { ...fakeSystem({}), clock },
      qmp: { execute } as unknown as Parameters<typeof awaitPciTree>[0]["qmp"],
      hotplugPorts: new Set(),
      emit: () => {},
      signal,
      step: "wait",
    }).then(({ state, elapsedMs }) => ({ numbered: state.numbered, asked, elapsedMs }));
  };

  it("ends as soon as all is well", async () => {
    expect(await waiting([early, early, done])).toEqual({ numbered: true, asked: 3, elapsedMs: 500 });
  });

  it("ends after five seconds, and with the signal", async () => {
    expect(await waiting([early])).toEqual({ numbered: false, asked: 21, elapsedMs: 5000 });
    expect(await waiting([early], AbortSignal.abort())).toEqual({ numbered: false, asked: 1, elapsedMs: 0 });
  });
});
