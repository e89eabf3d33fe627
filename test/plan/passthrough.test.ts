import { describe, expect, it } from "vitest";
import type { Ledger } from "../../src/host/index.ts";
import { LiveSite } from "../../src/hotplug/device-site.ts";
import { Draft } from "../../src/plan/draft.ts";
import { planPassedDevice } from "../../src/plan/passthrough.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { byHand, placesOnSwitches } from "./hgx-by-hand.ts";
import { hostWith, workstation } from "./host-pci.ts";
import { describeProblem, places, plan } from "./planning.ts";

const cells = [
  { id: 0, hostNodes: [0] },
  { id: 1, hostNodes: [1] },
];
const port = (id: string, cell?: number) => ({ id, cell, spare: true, pref64Bytes: 0, occupant: undefined });

/** One entry for a running VM: the options in the order of device_add, and what is bound, or the problems. */
function added(entry: object, passthrough: object = {}, ledger: Ledger = []) {
  const profile = profileSchema.parse({
    version: 1,
    name: "vm",
    cpus: { boot: 1 },
    memory: { size: "1G" },
    passthrough: { ...passthrough, devices: [entry] },
  });
  const draft = new Draft({ profile, host: hostWith(workstation), ledger, places });
  const site = new LiveSite(draft, [port("spare0"), port("rp0", 0), port("rp1", 1)], {
    bus: undefined,
    cell: undefined,
  });
  const [given] = profile.passthrough.devices;
  const passed = given ? planPassedDevice(draft, site, given, cells) : [];
  if (draft.problems.length > 0) return draft.problems.map(describeProblem);
  const decided = draft.decisions.map(({ id }) => id);
  expect(draft.options.flatMap(({ because }) => because).filter((id) => !decided.includes(id))).toEqual([]);
  return {
    options: draft.options.map((option) =>
      option.option === "device" ? { id: option.id, ...option.properties } : option,
    ),
    bound: passed.map(({ address, deviceId }) => `${address} ${deviceId}`),
  };
}

describe("a device for a running VM", () => {
  it("goes to a free port on the cell of its node", () => {
    expect(added({ address: "0000:03:02.0", id: "card" })).toEqual({
      options: [{ id: "card", bus: "rp1", addr: "0x0", host: "0000:03:02.0" }],
      bound: ["0000:03:02.0 card"],
    });
  });

  it("has its companions beside it, whatever the profile says of bridges; function 0 comes last", () => {
    const gpu = { address: "0000:01:00.0", id: "card", attach: "pci" };
    expect(added(gpu, { group: "whole", attach: "pci" })).toEqual({
      options: [
        { id: "card.1", bus: "rp0", addr: "0x0.0x1", host: "0000:01:00.1" },
        { id: "card.2", bus: "rp0", addr: "0x0.0x2", host: "0000:01:00.2" },
        { id: "card", bus: "rp0", addr: "0x0", multifunction: true, host: "0000:01:00.0" },
      ],
      bound: ["0000:01:00.0 card", "0000:01:00.1 card.1", "0000:01:00.2 card.2"],
    });
  });

  it("is held against the same rules", () => {
    expect(added({ address: "0000:02:00.0", id: "disk" })).toEqual([
      "HOST_DEVICE_NEEDED passthrough.devices[0].address: 0000:02:00.0, which has the root file system of this host; a device that the host can do without",
    ]);
    const ledger = [{ vm: "other", exclusiveCpus: [], pciFunctions: ["0000:03:02.0"] }];
    expect(added({ address: "0000:03:02.0", id: "card" }, {}, ledger)).toEqual([
      "HOST_DEVICE_BUSY passthrough.devices[0].address: 0000:03:02.0, which other has; a device that no running VM has",
    ]);
    const own = [{ vm: "vm", exclusiveCpus: [], pciFunctions: ["0000:03:02.0"] }];
    expect(added({ address: "0000:03:02.0", id: "card" }, {}, own)).toEqual([
      "HOST_DEVICE_BUSY passthrough.devices[0].address: 0000:03:02.0, which vm has already; a device that the VM does not have yet",
    ]);
  });
});

describe("an HGX board", () => {
  const changes = {
    numa: {
      cells: [
        { cpus: "0", memory: "512M", hostNodes: "0" },
        { cpus: "1", memory: "512M", hostNodes: "1" },
      ],
    },
    pcie: { mirror: { expanders: "node" } },
    passthrough: {
      devices: [
        { select: { vendor: "10de", class: "3d" } },
        { select: { class: "infiniband" } },
        { select: { vendor: "10de", class: "bridge" } },
        { address: "0000:18:00.0" },
      ],
    },
  };

  it("has each device where an expert put it by hand", () => {
    const { devices, run } = plan(changes, { host: "hgx-h200" });
    expect(placesOnSwitches(devices)).toEqual(byHand);
    expect(devices.filter(({ driver }) => driver === "pxb-pcie")).toHaveLength(2);
    expect(devices.filter(({ driver }) => driver === "x3130-upstream")).toHaveLength(9);
    expect(run.passthrough).toHaveLength(21);
  });

  it("has an expander bus for each root complex unless told otherwise", () => {
    const { devices } = plan({ ...changes, pcie: { mirror: true } }, { host: "hgx-h200" });
    expect(devices.filter(({ driver }) => driver === "pxb-pcie")).toHaveLength(9);
  });
});
