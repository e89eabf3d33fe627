import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { pciBridge, pciFunction } from "./host-pci.ts";
import { plan, problems, recordedHost, values } from "./planning.ts";

const gibibyte = 2 ** 30;
const ovmf = { ovmf: { code: "/code.fd", vars: "/vars.fd" } };
const bare = { rng: false, guestAgent: false };

/** A host with so many GPUs, each below a root port of its own, of one root complex or of several. */
function hostWith({
  gpus = 1,
  bars = [256, 32],
  bits = 46,
  iommuBits = 48,
  roots = 1,
  vendor = "GenuineIntel",
}) {
  const laptop = recordedHost("laptop");
  const pci = Array.from({ length: gpus }, (_, index) => {
    const rootBus = `0000:${(0x20 + (index % roots) * 0x20).toString(16)}`;
    const slot = index.toString(16).padStart(2, "0");
    const parent = `${rootBus}:${slot}.0`;
    return [
      pciBridge(parent, { rootBus }),
      pciFunction(`${rootBus.slice(0, -1)}1:${slot}.0`, {
        rootBus,
        parent,
        iommuGroup: 10 + index,
        bars: [
          { index: 0, sizeBytes: 2 ** 24, kind: "mem32" as const, prefetchable: false },
          ...bars.map((size, bar) => ({
            index: 1 + 2 * bar,
            sizeBytes: size * gibibyte,
            kind: "mem64" as const,
            prefetchable: true,
          })),
        ],
      }),
    ];
  }).flat();
  return {
    ...laptop,
    processor: { ...laptop.processor, vendor, physicalAddressBits: bits },
    nodes: laptop.nodes.map((node) => ({ ...node, memoryBytes: 2 ** 44, freeBytes: 2 ** 44 })),
    pci,
    iommu: { enabled: true, vfioPci: "loaded", iommufd: false, addressBits: iommuBits },
  } satisfies Host;
}

const guest = (changes: object = {}) => ({
  ...bare,
  machine: { accel: "kvm", firmware: ovmf },
  cpus: { boot: 2, model: "host" },
  passthrough: { devices: [{ select: { vendor: "10de" } }] },
  pcie: { spareRootPorts: 0, mirror: true },
  ...changes,
});
const standIn = (barSize: string, changes: object = {}) => ({
  ...bare,
  machine: { accel: "tcg", firmware: ovmf },
  cpus: { boot: 1 },
  pcie: { spareRootPorts: 0 },
  standIns: [{ id: "big", device: "memory", barSize }],
  ...changes,
});
const window = (planned: ReturnType<typeof plan>) =>
  values(planned, "fw_cfg").map((value) => Number(/X-PciMmio64Mb,string=(\d+)$/.exec(value)?.[1]) / 1024);
const explained = (planned: ReturnType<typeof plan>) =>
  planned.decisions.find(({ id }) => id === "firmware.mmio64");
const tooLarge = (changes: object, host: Host) =>
  problems(changes, { host }).filter((problem) => problem.startsWith("HOST_ADDRESS_BITS"));

describe("mmio64: auto, with OVMF", () => {
  it("is what the BARs come to and a sixteenth more, by eighths, in decimal MiB", () => {
    const planned = plan(guest(), { host: hostWith({}) });
    expect(values(planned, "fw_cfg")).toEqual(["name=opt/ovmf/X-PciMmio64Mb,string=327680"]);
    expect(values(planned, "global")).toEqual([]);
    expect(explained(planned)).toMatchObject({
      value: "320 GiB, 327680 MiB",
      facts: [
        "the 64-bit BARs come to 288 GiB",
        "1 hot-plug ports keep 2 GiB each, or what their device needs",
        "pxb0 takes 288 GiB, aligned to 256 GiB, from 0 B of the window on",
        "in all 288 GiB, rounded up to 320 GiB",
        "memory and the room for more end at 4 GiB; the window lies from 256 GiB to 576 GiB",
        "addresses of 46 bits end at 65536 GiB",
      ],
    });
  });

  it("counts the gaps between devices and between roots", () => {
    expect(window(plan(guest(), { host: hostWith({ gpus: 3 }) }))).toEqual([1408]);
    // 288 GiB at 0, and at 512: 800 GiB, 850 with a sixteenth more, rounded up by 64.
    expect(window(plan(guest(), { host: hostWith({ gpus: 2, roots: 2 }) }))).toEqual([896]);
  });

  it("leaves the window to the firmware while every OVMF's own is enough", () => {
    for (const bars of [[16, 8], [32], []]) {
      const planned = plan(guest(), { host: hostWith({ bars }) });
      expect(window(planned)).toEqual([]);
      expect(explained(planned)?.value).toBe("left to the firmware");
    }
    expect(window(plan(guest(), { host: hostWith({ bars: [32, 1] }) }))).toEqual([36]);
  });

  it("has room for stand-ins with a large BAR, and for ports that keep some", () => {
    expect(window(plan(standIn("128G")))).toEqual([144]);
    const keeping = { tree: [{ rootPort: "later", pref64Reserve: "48G" }], spareRootPorts: 0 };
    expect(window(plan({ ...bare, machine: { firmware: ovmf }, pcie: keeping }))).toEqual([72]);
    const fixed = { tree: [{ rootPort: "later", pref64Reserve: "48G", hotplug: false }], spareRootPorts: 0 };
    expect(window(plan({ ...bare, machine: { firmware: ovmf }, pcie: fixed }))).toEqual([]);
  });

  it("grows with the hot-plug ports, which keep a 256th each", () => {
    const planned = plan(standIn("128G", { pcie: { spareRootPorts: 60 } }));
    // Sixty-one ports of 1 GiB each beside the BAR.
    expect(window(planned)).toEqual([208]);
    expect(explained(planned)?.facts).toContain(
      "61 hot-plug ports keep 1 GiB each, or what their device needs",
    );
  });

  it("is beyond the range below 1 TiB that an AMD processor has for HyperTransport", () => {
    const amd = (bits: number) =>
      plan(guest(), { host: hostWith({ bits, bars: [512], vendor: "AuthenticAMD" }) });
    expect(window(amd(46))).toEqual([1024]);
    expect(explained(amd(46))?.facts).toContain(
      "memory and the room for more end at 4 GiB; the window lies from 1024 GiB to 2048 GiB",
    );
    expect(window(plan(guest(), { host: hostWith({ bars: [512] }) }))).toEqual([576]);
  });
});

it("is what an expert wrote for the HGX board, 4718592 MiB, without being told", () => {
  const file = new URL("../../profiles/hgx-h200.json", import.meta.url);
  const board = JSON.parse(readFileSync(file, "utf8"));
  expect(board.pcie.mmio64).toBeUndefined();
  const planned = plan(board, { host: "hgx-h200" });
  expect(values(planned, "fw_cfg")).toEqual(["name=opt/ovmf/X-PciMmio64Mb,string=4718592"]);
  expect(explained(planned)?.facts).toContain("in all 4128.16 GiB, rounded up to 4608 GiB");
});

describe("a window without addresses", () => {
  it("is refused, with the term that is the first beyond", () => {
    const host = hostWith({ gpus: 8, bits: 40 });
    expect(tooLarge(guest(), host)).toEqual([
      "HOST_ADDRESS_BITS pcie.mmio64: memory and the room for more end at 4 GiB, the window of 4608 GiB begins at 4096 GiB and ends at 8704 GiB, and addresses of 40 bits end at 1024 GiB: the beginning of the window is the first beyond; an end of 1024 GiB or less: the firmware stands still otherwise",
    ]);
    expect(tooLarge(guest({ memory: { size: "2T" } }), host)).toEqual([
      "HOST_ADDRESS_BITS memory.size: memory, room for more and the 64-bit window of PCI devices end at 2.0 TiB, and addresses of 40 bits end at 1 TiB: memory is the first beyond; an end of 1 TiB or less",
    ]);
    expect(tooLarge(guest(), hostWith({ gpus: 8, bits: 44 }))).toEqual([]);
  });

  it("counts memory and its alignment: 512 GiB fit 40 bits only behind little memory", () => {
    // What was tried: 524288 MiB at 512 GiB boot, 768 GiB and 1 TiB do not.
    const given = (mmio64: string, size = "1G") =>
      tooLarge(standIn("1G", { pcie: { mmio64, spareRootPorts: 0 }, memory: { size } }), hostWith({}));
    expect(given("512G")).toEqual([]);
    expect(given("768G")).toHaveLength(1);
    expect(given("512G", "520G")).toHaveLength(1);
    expect(given("1T").join()).toContain("the window is the first beyond");
  });

  it("ends with 46 bits, whatever the processor has", () => {
    const eight = { gpus: 8, bars: [2048], bits: 52, iommuBits: 57 };
    expect(tooLarge(guest(), hostWith(eight))).toEqual([]);
    expect(tooLarge(guest({ memory: { size: "12T", max: "60T", slots: 2 } }), hostWith(eight))).toHaveLength(
      1,
    );
  });

  it("is refused beyond 16 TiB, which OVMF does not take", () => {
    expect(tooLarge(guest(), hostWith({ gpus: 9, bars: [2048], bits: 52 }))[0]).toMatch(
      /^HOST_ADDRESS_BITS pcie\.mmio64: devices and ports that need a 64-bit window of 18432 GiB: the 64-bit BARs come to 18432 GiB;/,
    );
  });

  it("is told when the host's IOMMU does not reach it, and memory there is refused", () => {
    const host = hostWith({ bits: 46, iommuBits: 39 });
    expect(problems(guest(), { host })).toEqual([
      "(warning) HOST_ADDRESS_BITS pcie.mmio64: the window ends at 576 GiB, and addresses of the IOMMU, of 39 bits, end at 512 GiB; BARs where other devices can reach them: those beyond have no P2P",
    ]);
    expect(tooLarge(guest({ memory: { size: "600G" } }), host)[0]).toBe(
      "HOST_ADDRESS_BITS memory.size: memory and room for more end at 602 GiB, and addresses of the IOMMU, of 39 bits, end at 512 GiB; memory that the devices passed through can reach",
    );
  });
});

describe("a window of the profile's own", () => {
  const given = (mmio64: string | number, firmware: object | string = ovmf) =>
    standIn("64G", { machine: { accel: "tcg", firmware }, pcie: { mmio64, spareRootPorts: 0 } });

  it("is taken as it is, in decimal MiB for OVMF", () => {
    const planned = plan(given("128G"));
    expect(window(planned)).toEqual([128]);
    expect(values(planned, "global")).toEqual([
      "driver=q35-pcihost,property=pci-hole64-size,value=137438953472",
    ]);
    expect(values(plan(given("128G", "seabios")), "fw_cfg")).toEqual([]);
    expect(values(plan(given("128G", "seabios")), "global")).toHaveLength(1);
  });

  it("is told when it is too small", () => {
    expect(problems(given("32G"))).toEqual([
      "(warning) HOST_ADDRESS_BITS pcie.mmio64: a window of 32 GiB, and the devices and ports need 64 GiB: the 64-bit BARs come to 64 GiB; pcie.0 takes 64 GiB, aligned to 64 GiB, from 0 B of the window on; room for every BAR: OVMF from 2025 on has no larger window, and leaves those that do not fit without addresses",
    ]);
    expect(problems(given("32G", "seabios"))).toEqual([]);
  });

  it.each(["512M", "17T", 2 ** 34 + 1])("is refused with %s", (mmio64) => {
    expect(problems(given(mmio64)).join("\n")).toMatch(/HOST_ADDRESS_BITS pcie\.mmio64: a window of/);
  });
});

describe("with SeaBIOS, and a kernel that QEMU loads", () => {
  const seabios = (changes: object = {}) => standIn("64G", { machine: { accel: "tcg" }, ...changes });

  it("no option is needed: the firmware takes what BARs need", () => {
    const planned = plan(seabios({ kernel: { image: "/vmlinuz" } }));
    expect(values(planned, "fw_cfg")).toEqual([]);
    expect(explained(planned)).toMatchObject({
      value: "64 GiB, by the firmware itself",
      facts: [
        "pcie.0 takes 64 GiB, aligned to 64 GiB",
        "memory and the room for more end at 4 GiB; the window lies from 64 GiB to 128 GiB",
        "addresses of 40 bits end at 1024 GiB",
        "the kernel is started by the firmware, which gives BARs their addresses first",
      ],
    });
    expect(explained(plan(seabios({ standIns: [] })))?.value).toBe("left to the firmware");
  });

  it("is refused when there are no addresses", () => {
    expect(
      tooLarge(
        seabios({ memory: { size: "970G" }, standIns: [{ id: "b", device: "memory", barSize: "64G" }] }),
        hostWith({}),
      ),
    ).toHaveLength(1);
  });
});
