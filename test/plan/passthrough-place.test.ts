import { describe, expect, it } from "vitest";
import { hostWith, pciBridge, pciFunction, workstation } from "./host-pci.ts";
import { device, plan, problems, values } from "./planning.ts";

const host = hostWith(workstation);
const bare = { rng: false, guestAgent: false, cpus: { boot: 2 } };
const cells = (...hostNodes: string[]) => ({
  cells: hostNodes.map((nodes, id) => ({
    cpus: String(id),
    memory: "512M",
    ...(nodes === "" ? {} : { hostNodes: nodes }),
  })),
});
const gpu = { address: "0000:01:00.0" };
const audio = { address: "0000:01:00.1" };
const usb = { address: "0000:01:00.2" };
const nic = { address: "0000:03:02.0" };
const placesOf = (changes: object) =>
  Object.fromEntries(
    plan({ ...bare, pcie: { spareRootPorts: 0 }, ...changes }, { host }).devices.map((entry) => [
      entry.id,
      `${entry.bus} ${entry.slot}.${entry.function}${entry.numaNode === undefined ? "" : ` cell ${entry.numaNode}`}`,
    ]),
  );
const whole = (given: object = {}) => ({ passthrough: { group: "whole", devices: [gpu], ...given } });

describe("a device without a bus", () => {
  it("is on a port of its own, on pcie.0 where the guest has no cells", () => {
    expect(placesOf({ passthrough: { devices: [nic] } })).toEqual({
      "rp-nic0": "pcie.0 1.0",
      nic0: "rp-nic0 0.0",
    });
  });

  it("is on an expander bus of the cell that is bound to its node", () => {
    const changes = { numa: cells("1", "0"), passthrough: { devices: [nic] } };
    expect(placesOf(changes)).toEqual({
      "pxb-cell0": "pcie.0 1.0 cell 0",
      "rp-nic0": "pxb-cell0 0.0 cell 0",
      nic0: "rp-nic0 0.0 cell 0",
    });
    expect(problems({ ...bare, ...changes }, { host })).toEqual([]);
  });

  it("uses the profile's expander bus of that cell", () => {
    const pcie = { spareRootPorts: 0, tree: [{ expander: "mine", numaNode: 0 }] };
    expect(placesOf({ pcie, numa: cells("1", "0"), passthrough: { devices: [nic] } })).toMatchObject({
      "rp-nic0": "mine 0.0 cell 0",
    });
  });

  it("prefers a cell that is bound to its node alone", () => {
    expect(placesOf({ numa: cells("0-1", "1"), passthrough: { devices: [nic] } })).toMatchObject({
      nic0: "rp-nic0 0.0 cell 1",
    });
  });

  it("on a node without a cell is warned of, once, and goes to pcie.0", () => {
    const pci = [...workstation, pciFunction("0000:05:00.0", { node: 1, iommuGroup: 9 })];
    const changes = {
      ...bare,
      numa: cells("0", ""),
      passthrough: { devices: [nic, { address: "0000:05:00.0" }] },
    };
    expect(problems(changes, { host: hostWith(pci) })).toEqual([
      "(warning) PCIE_PLACEMENT passthrough.devices[0]: 0000:03:02.0 on host node 1, to which no cell is bound; a cell that is bound to the node: the guest does not see otherwise where the device is",
    ]);
    expect(placesOf({ numa: cells("0", ""), passthrough: { devices: [nic] } })).toMatchObject({
      "rp-nic0": "pcie.0 1.0",
    });
  });
});

describe("functions of one slot", () => {
  it("stay together, function 0 saying that there are others", () => {
    expect(placesOf(whole())).toEqual({
      "rp-gpu0": "pcie.0 1.0",
      gpu0: "rp-gpu0 0.0",
      "gpu0.1": "rp-gpu0 0.1",
      "gpu0.2": "rp-gpu0 0.2",
    });
    const planned = plan({ ...bare, ...whole() }, { host });
    expect(device(planned, "gpu0")).toBe(
      "vfio-pci,id=gpu0,bus=rp-gpu0,addr=0x0,multifunction=on,host=0000:01:00.0",
    );
    expect(device(planned, "gpu0.2")).toBe("vfio-pci,id=gpu0.2,bus=rp-gpu0,addr=0x0.0x2,host=0000:01:00.2");
  });

  it("stay together when each is named, on the bus that one of them names", () => {
    const pcie = { spareRootPorts: 0, tree: [{ rootPort: "a" }, { rootPort: "b" }] };
    const devices = [usb, { ...audio, bus: "a" }, gpu];
    expect(placesOf({ pcie, passthrough: { devices } })).toMatchObject({
      gpu0: "a 0.0",
      audio0: "a 0.1",
      usb0: "a 0.2",
    });
    const apart = [usb, { ...audio, bus: "a" }, { ...gpu, bus: "b" }];
    expect(placesOf({ pcie, passthrough: { devices: apart } })).toMatchObject({
      gpu0: "b 0.0",
      usb0: "b 0.2",
      audio0: "a 0.0",
    });
  });

  it("behind a bridge to conventional PCI cost no port but its own", () => {
    const attached = whole({ attach: "pci" });
    expect(placesOf(attached)).toEqual({
      "rp-gpu0": "pcie.0 1.0",
      gpu0: "rp-gpu0 0.0",
      "rp-pci-bridge0": "pcie.0 1.1",
      "pci-bridge0": "rp-pci-bridge0 0.0",
      "gpu0.1": "pci-bridge0 1.0",
      "gpu0.2": "pci-bridge0 2.0",
    });
    const planned = plan({ ...bare, ...attached }, { host });
    expect(device(planned, "pci-bridge0")).toBe("pcie-pci-bridge,id=pci-bridge0,bus=rp-pci-bridge0,addr=0x0");
    expect(device(planned, "gpu0")).not.toContain("multifunction");
    expect(placesOf(whole({ devices: [{ ...gpu, attach: "pci" }] }))).toMatchObject({
      "gpu0.1": "pci-bridge0 1.0",
    });
  });

  it("is the device's own place when its entry says so and nothing comes along", () => {
    expect(placesOf({ passthrough: { devices: [{ ...nic, attach: "pci" }] } })).toMatchObject({
      nic0: "pci-bridge0 1.0",
    });
    expect(placesOf({ passthrough: { attach: "pci", devices: [nic] } })).toMatchObject({
      nic0: "rp-nic0 0.0",
    });
  });

  it("leave the bridge's bus a number", () => {
    const pcie = { spareRootPorts: 0, tree: [{ expander: "pxb", busNr: 3 }] };
    expect(problems({ ...bare, pcie, passthrough: { devices: [nic] } }, { host })).toEqual([]);
    expect(problems({ ...bare, pcie, ...whole({ attach: "pci" }) }, { host })[0]).toContain(
      "pxb starts at bus 3, and pcie.0 takes 0-3",
    );
  });
});

it("companions from other slots have a place of their own", () => {
  const pci = [
    pciBridge("0000:00:01.0", { iommuGroup: 1 }),
    pciFunction("0000:01:00.0", { parent: "0000:00:01.0", iommuGroup: 1 }),
    pciFunction("0000:02:00.0", { iommuGroup: 1, class: "010802", driver: "nvme" }),
  ];
  const pcie = { spareRootPorts: 0, tree: [{ rootPort: "a" }] };
  const planned = plan(
    { ...bare, pcie, ...whole({ devices: [{ ...gpu, bus: "a" }] }) },
    { host: hostWith(pci) },
  );
  expect(planned.devices.map(({ id, bus }) => `${id} ${bus}`)).toEqual([
    "a pcie.0",
    "rp-gpu0.1 pcie.0",
    "gpu0 a",
    "gpu0.1 rp-gpu0.1",
  ]);
});

describe("the mirrored tree", () => {
  const mirror = { mirror: true, spareRootPorts: 0 };

  it("has the devices that name no bus, companions beside theirs", () => {
    const pcie = { ...mirror, tree: [{ rootPort: "rp0" }] };
    const changes = { pcie, numa: cells("0", "1"), ...whole({ devices: [gpu, { ...nic, bus: "rp0" }] }) };
    expect(placesOf(changes)).toEqual({
      rp0: "pcie.0 1.0",
      pxb0: "pcie.0 2.0 cell 0",
      rp1: "pxb0 0.0 cell 0",
      gpu0: "rp1 0.0 cell 0",
      "gpu0.1": "rp1 0.1 cell 0",
      "gpu0.2": "rp1 0.2 cell 0",
      nic0: "rp0 0.0",
    });
  });

  it("is none without devices, and is not asked for by default", () => {
    expect(placesOf({ pcie: mirror })).toEqual({});
    expect(plan({ ...bare, pcie: mirror }, { host }).decisions.map(({ id }) => id)).not.toContain(
      "pcie.mirror",
    );
  });

  it("stands behind the options that come of it", () => {
    const planned = plan({ ...bare, pcie: mirror, passthrough: { devices: [nic] } }, { host });
    const expander = planned.options.find((option) => option.option === "device" && option.id === "pxb0");
    expect(expander?.because).toContain("pcie.mirror");
    expect(planned.decisions.find(({ id }) => id === "pcie.mirror")?.facts).toContain("0000:03:02.0 on rp0");
  });

  it("is refused at its key when it does not fit", () => {
    const many = Array.from({ length: 254 }, (_, index) => {
      const port = `0000:00:${(index >> 3).toString(16).padStart(2, "0")}.${index & 7}`;
      const address = `0000:${(index + 1).toString(16).padStart(2, "0")}:00.0`;
      return [pciBridge(port), pciFunction(address, { parent: port, iommuGroup: index })];
    }).flat();
    const changes = { ...bare, pcie: mirror, passthrough: { devices: [{ select: { vendor: "10de" } }] } };
    const found = problems(changes, { host: hostWith(many) });
    expect(found).toEqual([]);
    const disks = [
      { id: "a", file: "/a", format: "raw" },
      { id: "b", file: "/b", format: "raw" },
    ];
    expect(problems({ ...changes, disks }, { host: hostWith(many) })).toEqual(
      expect.arrayContaining([expect.stringMatching(/^PCIE_BUS_NUMBERS pcie.mirror: no room for the 255/)]),
    );
  });
});

describe("what QEMU is told of a device", () => {
  it("is its address, and what the profile says otherwise", () => {
    const entry = { ...nic, id: "card", rom: false, identity: { vendor: "15b3", device: "1021" } };
    const planned = plan({ ...bare, passthrough: { devices: [entry] } }, { host });
    expect(device(planned, "card")).toBe(
      "vfio-pci,id=card,bus=rp-card,addr=0x0,host=0000:03:02.0,rombar=0,x-pci-vendor-id=5555,x-pci-device-id=4129",
    );
    expect(planned.devices.at(-1)).toEqual(expect.objectContaining({ hostAddress: "0000:03:02.0" }));
    expect(planned.run.passthrough).toEqual([
      {
        address: "0000:03:02.0",
        deviceId: "card",
        iommuGroup: 6,
        vendor: "8086",
        device: "154c",
        profilePath: ["passthrough", "devices", 0],
      },
    ]);
  });

  it("has ids by class, after those of the profile", () => {
    const networks = [{ id: "nic0", user: {} }];
    const planned = plan(
      { ...bare, networks, passthrough: { devices: [nic, { ...audio, id: "nic1" }, gpu, usb] } },
      { host },
    );
    expect(planned.run.passthrough.map(({ deviceId }) => deviceId)).toEqual(["nic2", "nic1", "gpu0", "usb0"]);
  });

  it("numbers the devices of a selector with an id", () => {
    const planned = plan(
      { passthrough: { devices: [{ select: { class: "bridge" }, id: "switch" }] } },
      { host: "hgx-h200" },
    );
    expect(planned.run.passthrough.map(({ deviceId }) => deviceId)).toEqual([
      "switch0",
      "switch1",
      "switch2",
      "switch3",
    ]);
  });

  it("is refused for an id that something else has", () => {
    const networks = [{ id: "card", user: {} }];
    expect(problems({ networks, passthrough: { devices: [{ ...nic, id: "card" }] } }, { host })).toEqual([
      'ID_DUPLICATE passthrough.devices[0].id: the device "card" a second time; networks[0].id has it; a name of its own for each device',
    ]);
  });
});

it("a port takes one slot of the host", () => {
  const pcie = { tree: [{ rootPort: "a" }] };
  const devices = [gpu, audio, usb].map((entry) => ({ ...entry, bus: "a" }));
  expect(
    problems({ ...bare, pcie, passthrough: { devices: [...devices, { ...nic, bus: "a" }] } }, { host }),
  ).toEqual([
    "PCIE_BUS_FULL passthrough.devices[3].bus: nic0 on a, where gpu0 is; a port without a device: a port takes one",
  ]);
  expect(
    values(plan({ ...bare, pcie, passthrough: { devices } }, { host }), "device").length,
  ).toBeGreaterThan(3);
});
