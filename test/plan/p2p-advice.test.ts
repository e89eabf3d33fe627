import { describe, expect, it } from "vitest";
import type { Host, PciFunction } from "../../src/host/index.ts";
import { adviseP2p } from "../../src/plan/p2p-advice.ts";
import { hostWith, pciBridge, pciFunction } from "./host-pci.ts";
import { describeProblem, plan } from "./planning.ts";

/** Two switches, each with a GPU and a NIC of two makers. */
function board(nic: Partial<PciFunction> = {}, control: number | null = 0x1d): PciFunction[] {
  return ["10", "20"].flatMap((root, index) => {
    const place = { rootBus: `0000:${root}`, node: index };
    const [port, up] = [`0000:${root}:01.0`, `0000:${root[0]}1:00.0`];
    const acs = control === null ? {} : { acs: { capability: 0x5f, control } };
    const below = ["a", "b"].map((bus) => `0000:${root[0]}2:0${bus}.0`);
    return [
      pciBridge(port, place),
      pciBridge(up, { ...place, parent: port, kind: "upstream-port" }),
      ...below.map((down) => pciBridge(down, { ...place, parent: up, kind: "downstream-port", ...acs })),
      pciFunction(`0000:${root[0]}a:00.0`, { ...place, parent: below[0] as string, iommuGroup: index * 2 }),
      pciFunction(`0000:${root[0]}b:00.0`, {
        ...place,
        parent: below[1] as string,
        class: "020000",
        vendor: index === 0 ? "15b3" : "8086",
        iommuGroup: index * 2 + 1,
        ...nic,
      }),
    ];
  });
}
const every = ["1a", "1b", "2a", "2b"].map((bus) => ({ address: `0000:${bus}:00.0` }));

function advice(host: Host, passthrough: object = { devices: every }): string[] {
  return adviseP2p(plan({ passthrough }, { host }), host).map(describeProblem);
}

describe("NICs without ATS", () => {
  it("are told, with the command of Mellanox's tool for theirs", () => {
    const host = hostWith(board());
    const found = adviseP2p(plan({ passthrough: { devices: every } }, { host }), host);
    expect(found.slice(0, 2).map(describeProblem)).toEqual([
      "(warning) HOST_P2P passthrough.devices[1]: 0000:1b:00.0, a NIC without ATS; ATS on, by which a NIC reaches GPUs below its switch without the way through the root complex",
      "(warning) HOST_P2P passthrough.devices[3]: 0000:2b:00.0, a NIC without ATS; ATS on, by which a NIC reaches GPUs below its switch without the way through the root complex",
    ]);
    expect(found[0]?.fix).toBe(
      "mst start; mlxconfig -d 0000:1b:00.0 set ATS_ENABLED=true; then reboot the host",
    );
    expect(found[1]?.fix).not.toContain("mlxconfig");
  });

  it("are told when ATS is off, when alone, and not for what stays with the host", () => {
    const host = hostWith(board({ ats: false }));
    expect(advice(host, { devices: [every[1]] })[0]).toContain("0000:1b:00.0, a NIC without ATS");
    expect(advice(host, { devices: [every[0]] })).toEqual([]);
    expect(advice(hostWith(board({ ats: true }, 0x5d)))).toEqual([]);
  });

  it("of virtual functions take the command for the physical one, once", () => {
    const physical = "0000:1b:00.0";
    const virtual = [1, 2].map((number) =>
      pciFunction(`0000:1b:00.${number}`, {
        rootBus: "0000:10",
        parent: "0000:12:0b.0",
        class: "020000",
        vendor: "15b3",
        physicalFunction: physical,
        iommuGroup: 20 + number,
      }),
    );
    const host = hostWith([...board(), ...virtual]);
    const devices = virtual.map(({ address }) => ({ address }));
    const [found] = adviseP2p(plan({ passthrough: { devices } }, { host }), host);
    expect(found?.found).toBe("0000:1b:00.1, 0000:1b:00.2, NICs without ATS");
    expect(found?.fix).toBe(
      "mst start; mlxconfig -d 0000:1b:00.0 set ATS_ENABLED=true; then reboot the host",
    );
  });
});

describe("ports that send translated requests up", () => {
  it("are told where a NIC and a GPU share a switch", () => {
    const host = hostWith(board({ ats: true }));
    expect(advice(host)).toEqual([
      "(warning) HOST_P2P passthrough.devices[0]: 0000:12:0a.0, 0000:12:0b.0, 0000:22:0a.0, 0000:22:0b.0 send translated requests up to the root complex; ACS with DirectTrans and without TransBlk, by which requests of devices with ATS stay below the switch",
    ]);
    expect(advice(host, { devices: [every[0], every[3]] })).toEqual([]);
  });

  it("are told when they refuse translated requests, and not when they cannot let them through", () => {
    expect(advice(hostWith(board({ ats: true }, 0x5f)))[0]).toContain("send translated requests up");
    const limited = board({ ats: true }).map((fn) =>
      fn.acs === undefined ? fn : { ...fn, acs: { capability: 0x1f, control: 0x1d } },
    );
    expect(advice(hostWith(limited))).toEqual([]);
  });
});

it("of a host whose config space was closed, that is told, where it matters", () => {
  const closed = hostWith(board({}, null));
  expect(advice(closed)).toEqual([
    "(warning) HOST_P2P passthrough.devices[0]: ATS of NICs and ACS of ports are not known: config space is open to root alone; both, to say whether the devices reach each other directly",
  ]);
  expect(advice(closed, { devices: [every[1]] })).toEqual([]);
});

it("a clique of GPUs between which no way is known is told, once for each number", () => {
  const host = hostWith(board({ ats: true }, 0x5d));
  const devices = every.map((entry, index) => ({ ...entry, ...(index % 2 === 0 ? { clique: 3 } : {}) }));
  expect(advice(host, { devices })).toEqual([
    "(warning) HOST_P2P passthrough.devices[0]: 0000:1a:00.0, 0000:2a:00.0 in clique 3, and between the two no way is known to work; a clique of GPUs that reach each other's memory: the driver takes it for granted",
  ]);
  const apart = devices.map((entry, index) => ({ ...entry, ...(index === 2 ? { clique: 4 } : {}) }));
  expect(advice(host, { devices: apart })).toEqual([]);
});
