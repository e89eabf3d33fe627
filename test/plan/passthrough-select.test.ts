import { describe, expect, it } from "vitest";
import { hostWith, pciBridge, pciFunction, workstation } from "./host-pci.ts";
import { plan, problems } from "./planning.ts";

const host = hostWith([...workstation]);
const devices = (...entries: object[]) => ({ passthrough: { group: "whole", devices: entries } });
const passed = (...entries: object[]) =>
  plan({ passthrough: { devices: entries } }, { host: "hgx-h200" }).run.passthrough.map(
    ({ address }) => address,
  );

describe("a selector", () => {
  it("takes every device that fits all of it, in the order of the addresses", () => {
    expect(passed({ select: { class: "infiniband", numaNode: 1 } })).toEqual([
      "0000:9c:00.0",
      "0000:bc:00.0",
      "0000:cc:00.0",
      "0000:dc:00.0",
    ]);
    expect(passed({ select: { vendor: "10de", class: "bridge" } })).toHaveLength(4);
    expect(passed({ select: { device: "2335" } })).toHaveLength(8);
    expect(passed({ select: { class: "0302" } }, { select: { class: "068000" } })).toHaveLength(12);
  });

  it("takes no ports, bridges or what belongs to the board", () => {
    const pci = [
      pciBridge("0000:00:01.0", { iommuGroup: 0 }),
      pciFunction("0000:00:00.0", { vendor: "8086", class: "060000", iommuGroup: 1 }),
      pciFunction("0000:01:00.0", { vendor: "8086", parent: "0000:00:01.0", iommuGroup: 2 }),
    ];
    const planned = plan(devices({ select: { vendor: "8086" } }), { host: hostWith(pci) });
    expect(planned.run.passthrough.map(({ address }) => address)).toEqual(["0000:01:00.0"]);
  });

  it("that nothing fits is refused, with the key that is one too many", () => {
    expect(
      problems(devices({ select: { vendor: "10de", class: "network", numaNode: 0 } }), { host }),
    ).toEqual([
      "PASSTHROUGH_SELECTION passthrough.devices[0].select: no device of this host with vendor 10de, class network, numaNode 0; one or more devices that fit all of it",
    ]);
    expect(problems(devices({ select: { vendor: "dead" } }), { host })).toEqual([
      "PASSTHROUGH_SELECTION passthrough.devices[0].select: no device of this host with vendor dead; one or more devices that fit all of it",
    ]);
  });
});

describe("an address", () => {
  it("that the host does not have is refused", () => {
    expect(problems(devices({ address: "0000:01:00.7" }), { host })).toEqual([
      "HOST_DEVICE_ABSENT passthrough.devices[0].address: 0000:01:00.7, which this host does not have; a PCI device of this host",
    ]);
  });

  it.each([
    ["0000:00:01.0", "a root port"],
    ["0000:00:1f.0", "a bridge of the board"],
  ])("of something else than a device is refused: %s is %s", (address, kind) => {
    expect(problems(devices({ address }), { host })).toEqual([
      `HOST_DEVICE_KIND passthrough.devices[0].address: ${address}, which is ${kind}; a device: ports and bridges stay with the host`,
    ]);
  });

  it.each([
    ["0000:17:01.0", "the downstream port of a switch"],
    ["0000:16:00.0", "the upstream port of a switch"],
    ["0000:03:00.0", "a bridge"],
  ])("of a port is refused: %s is %s", (address, kind) => {
    expect(problems(devices({ address }), { host: "hgx-h200" })[0]).toContain(
      `${address}, which is ${kind};`,
    );
  });
});

it("chooses each device once", () => {
  const gpu = { address: "0000:01:00.0" };
  expect(problems(devices(gpu, gpu), { host })).toEqual([
    "PASSTHROUGH_SELECTION passthrough.devices[1].address: 0000:01:00.0 a second time; passthrough.devices[0] has it; each device once",
  ]);
  const all = { select: { class: "3d" } };
  expect(
    problems({ passthrough: { devices: [all, { select: { vendor: "10de" } }] } }, { host: "hgx-h200" }),
  ).toEqual([
    "PASSTHROUGH_SELECTION passthrough.devices[1].select: 0000:19:00.0, 0000:3b:00.0, 0000:4c:00.0, 0000:5d:00.0 and 4 more a second time; passthrough.devices[0] has the first; each device once",
  ]);
});

it("wants a host whose devices are known, only when there is something to choose", () => {
  expect(problems(devices({ address: "0000:01:00.0" }), { host: "laptop" })).toEqual([
    "HOST_DEVICE_ABSENT passthrough.devices: a host of which no PCI devices are known; a host with its PCI devices",
  ]);
  expect(problems(devices(), { host: "laptop" })).toEqual([]);
});
