import { describe, expect, it } from "vitest";
import { choosePort, hotplugPorts, type LivePort } from "../../src/hotplug/ports.ts";
import { plan } from "../plan/planning.ts";

const port = (id: string, occupant?: string, cell?: number): LivePort => ({
  id,
  cell,
  spare: id.startsWith("spare"),
  pref64Bytes: 0,
  occupant,
});

const ports = [
  port("rp-disk"),
  port("spare0", "net1"),
  port("spare1"),
  port("near0", "gpu0", 1),
  port("near1", undefined, 1),
  port("far0", "gpu1", 2),
];

const chosen = (bus?: string, cell?: number, among: readonly LivePort[] = ports) => {
  const result = choosePort(among, { bus, cell });
  return result.ok ? result.value.id : result.diagnostics.map(({ found, fix }) => `${found}; ${fix}`);
};

describe("the plan's hot-plug ports", () => {
  it("are those that take devices, with their cells; spare when nothing was planned for them", () => {
    const planned = plan({
      cpus: { boot: 2 },
      numa: {
        cells: [
          { cpus: "0", memory: "512M" },
          { cpus: "1", memory: "512M" },
        ],
      },
      pcie: {
        tree: [
          {
            expander: "pxb1",
            numaNode: 1,
            ports: [
              { rootPort: "near", pref64Reserve: "64G" },
              { rootPort: "fixed", hotplug: false },
              { rootPort: "up", switch: { upstream: "sw", downstream: [{ port: "down" }] } },
            ],
          },
        ],
        spareRootPorts: 1,
      },
      rng: true,
      guestAgent: false,
    });
    expect(hotplugPorts(planned)).toEqual([
      { id: "near", cell: 1, spare: true, pref64Bytes: 2 ** 36 },
      { id: "up", cell: 1, spare: false, pref64Bytes: 0 },
      { id: "down", cell: 1, spare: true, pref64Bytes: 0 },
      { id: "rp-rng0", cell: undefined, spare: false, pref64Bytes: 0 },
      { id: "spare0", cell: undefined, spare: true, pref64Bytes: 0 },
    ]);
  });
});

it("a port that kept room for large BARs is taken for a device that has them, and not for another", () => {
  const among = [port("spare0"), { ...port("given-up"), pref64Bytes: 2 ** 33 }, port("spare1")];
  const wish = { bus: undefined, cell: undefined };
  const portFor = (pref64Bytes: number) => choosePort(among, { ...wish, pref64Bytes });
  expect(portFor(2 ** 33)).toMatchObject({ value: { id: "given-up" } });
  expect(portFor(2 ** 34)).toMatchObject({ value: { id: "spare0" } });
  expect(portFor(0)).toMatchObject({ value: { id: "spare0" } });
});

describe("without a wish", () => {
  it("a spare port on pcie.0 is taken", () => expect(chosen()).toBe("spare1"));
  it("a port that was given up is taken when there is no spare one", () => {
    expect(chosen(undefined, undefined, [port("rp-disk"), port("spare0", "net1")])).toBe("rp-disk");
  });
  it("no port of a cell is taken", () => {
    expect(chosen(undefined, undefined, [port("spare0", "a"), port("near1", undefined, 1)])).toEqual([
      "no free hot-plug port on pcie.0: spare0 has a; name a free port with --bus: near1 (cell 1)",
    ]);
  });
  it("a VM without ports is told so", () => {
    expect(chosen(undefined, undefined, [])).toEqual([
      "no hot-plug port on pcie.0; remove a device, or raise pcie.spareRootPorts in the profile and start the VM again",
    ]);
  });
});

describe("a cell", () => {
  it("gets a port of its own", () => expect(chosen(undefined, 1)).toBe("near1"));
  it("that has none free is told of those that are", () => {
    expect(chosen(undefined, 2)).toEqual([
      "no free hot-plug port on cell 2: far0 has gpu1; name a free port with --bus: rp-disk, spare1, near1 (cell 1)",
    ]);
  });
  it("without any is told how it gets one", () => {
    expect(chosen(undefined, 3, [port("spare0", "a")])).toEqual([
      "no hot-plug port on cell 3; add a port to an expander bus of cell 3 in pcie.tree, and start the VM again",
    ]);
  });
});

describe("a port by name", () => {
  it("is taken wherever it is", () => {
    expect(chosen("near1")).toBe("near1");
    expect(chosen("near1", 1)).toBe("near1");
  });
  it("is not taken from another device, nor for another cell", () => {
    expect(chosen("near0")).toEqual(["port near0, where gpu0 sits; name another port, or leave --bus out"]);
    expect(chosen("near1", 2)).toEqual([
      "port near1, which is on cell 1, for cell 2; leave --bus or --numa-cell out",
    ]);
    expect(chosen("spare1", 2)).toEqual([
      "port spare1, which is on no cell, for cell 2; leave --bus or --numa-cell out",
    ]);
  });
  it("that does not exist is told for the one that was meant", () => {
    expect(chosen("sapre1")).toEqual([
      '"sapre1", which is no hot-plug port of this VM; did you mean "spare1"?',
    ]);
  });
});
