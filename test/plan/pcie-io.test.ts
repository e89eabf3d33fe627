import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { pciBridge, pciFunction } from "./host-pci.ts";
import { device, plan, recordedHost } from "./planning.ts";

const bare = { rng: false, guestAgent: false };
const e1000e = (id: string, more: object = {}) => ({ id, user: {}, model: "e1000e", ...more });

/** Of a port's I/O space: what it reserves, or the firmware's choice. */
const reserve = (planned: ReturnType<typeof plan>, id: string) =>
  /io-reserve=(\d+)/.exec(device(planned, id) ?? "")?.[1] ?? "firmware's";
const explained = (planned: ReturnType<typeof plan>) => planned.decisions.find(({ id }) => id === "pcie.io");

describe("I/O space", () => {
  it("is reserved by no port without a device that has an I/O BAR below", () => {
    const planned = plan();
    expect(["rp-rng0", "spare0", "spare1"].map((id) => reserve(planned, id))).toEqual(["0", "0", "0"]);
    expect(explained(planned)).toMatchObject({ value: "none for 4 of 4 root ports", facts: [] });
  });

  it("is left to the firmware above one, through switches", () => {
    const tree = [
      {
        rootPort: "rp",
        switch: { upstream: "up", downstream: [{ port: "a" }, { port: "b" }] },
      },
      { rootPort: "other" },
      { rootPort: "said", ioReserve: 0 },
    ];
    const planned = plan({
      ...bare,
      pcie: { tree, spareRootPorts: 0 },
      networks: [e1000e("deep", { bus: "b" }), e1000e("own"), e1000e("held", { bus: "said" })],
    });
    const ports = ["rp", "other", "said", "rp-own"];
    expect(ports.map((id) => reserve(planned, id))).toEqual(["firmware's", "0", "0", "firmware's"]);
    expect(explained(planned)).toMatchObject({
      value: "none for 2 of 4 root ports, hot-plug off on 1 of 2 downstream ports",
      facts: ["deep on b has an I/O BAR", "own on rp-own has an I/O BAR", "held on said has an I/O BAR"],
    });
  });

  it("is for eight ports at most", () => {
    const networks = Array.from({ length: 10 }, (_, index) => e1000e(`n${index}`));
    const planned = plan({ ...bare, networks });
    const withIo = networks.filter(({ id }) => reserve(planned, `rp-${id}`) !== "0").map(({ id }) => id);
    expect(withIo).toEqual(["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7"]);
    expect(explained(planned)?.facts.at(-1)).toBe(
      "no room for those below rp-n8, rp-n9: they go without, as PCIe devices can",
    );
  });

  it("follows the BARs of devices of the host, in a mirrored tree as well", () => {
    const at = (port: string) => ({ rootBus: "0000:17", parent: `0000:17:0${port}.0` });
    const bar = { index: 5, sizeBytes: 128, kind: "io" as const, prefetchable: false };
    const laptop = recordedHost("laptop");
    const host: Host = {
      ...laptop,
      iommu: { enabled: true, vfioPci: "loaded", iommufd: false },
      pci: [
        pciBridge("0000:17:01.0", { rootBus: "0000:17" }),
        pciBridge("0000:17:02.0", { rootBus: "0000:17" }),
        pciFunction("0000:18:00.0", { ...at("1"), iommuGroup: 1, bars: [bar] }),
        pciFunction("0000:19:00.0", { ...at("2"), iommuGroup: 2, bars: [{ ...bar, kind: "mem32" }] }),
      ],
    };
    const passthrough = { devices: [{ select: { vendor: "10de" } }] };
    const mirrored = plan({ ...bare, passthrough, pcie: { mirror: true } }, { host });
    expect(["rp0", "rp1"].map((id) => reserve(mirrored, id))).toEqual(["firmware's", "0"]);
    const flat = plan({ ...bare, passthrough }, { host });
    expect(["rp-gpu0", "rp-gpu1"].map((id) => reserve(flat, id))).toEqual(["firmware's", "0"]);
  });
});

it("lets forty ports be, each with its device", () => {
  const standIns = Array.from({ length: 40 }, (_, index) => ({ id: `s${index}`, device: "display" }));
  const planned = plan({ ...bare, standIns, pcie: { spareRootPorts: 0 } });
  expect(standIns.filter(({ id }) => reserve(planned, `rp-${id}`) === "0")).toHaveLength(40);
  expect(new Set(planned.devices.map(({ bus, slot, function: fn }) => `${bus} ${slot}.${fn}`)).size).toBe(
    planned.devices.length,
  );
});
