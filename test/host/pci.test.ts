import { expect, it } from "vitest";
import { type PciFunction, readPci } from "../../src/host/index.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";
import { pciFiles } from "../rig/pci-files.ts";
import { behindSwitch, pciFunction } from "./pci-functions.ts";

const read = (tree: Record<string, FakeFile>) => readPci(fakeSystem(tree).files).pci;
const kinds = (functions: readonly PciFunction[]) =>
  Object.fromEntries(functions.map(({ address, kind }) => [address, kind]));

it("reads a switch, a GPU and a virtual function", () =>
  expect(read(pciFiles(behindSwitch))).toEqual(behindSwitch));

it("knows ports by their place where config space is closed, and no ACS or ATS", () => {
  const expected = behindSwitch.map(({ acs: _, ats: _also, ...rest }) => rest);
  expect(read(pciFiles(behindSwitch, "user"))).toEqual(expected);
});

it("tells a bridge to conventional PCI from a switch, with config space and without", () => {
  const link = { maxSpeed: 2.5, maxWidth: 1, speed: 2.5, width: 1 };
  const functions = [
    pciFunction("0000:00:1c.0", { kind: "root-port", class: "060400", link }),
    pciFunction("0000:00:1e.0", { kind: "bridge", class: "060401" }),
    pciFunction("0000:02:00.0", {
      kind: "bridge",
      class: "060400",
      link,
      rootBus: "0000:00",
      parent: "0000:00:1c.0",
    }),
    pciFunction("0000:03:04.0", { rootBus: "0000:00", parent: "0000:02:00.0", class: "030000" }),
  ];
  expect(read(pciFiles(functions))).toEqual(functions);
  expect(read(pciFiles(functions, "user"))).toEqual(functions);
});

it("reads every function of a device, in the order of the addresses", () => {
  const functions = ["0000:00:1f.0", "0000:00:1f.2", "0000:00:1f.3"].map((address) => pciFunction(address));
  expect(read(pciFiles([...functions].reverse()))).toEqual(functions);
});

it("reads a root bus in a domain of its own, which a function makes", () => {
  const controller = pciFunction("0000:16:00.5", { class: "010400", vendor: "8086", device: "28c0" });
  const folder = "/sys/devices/pci0000:16/0000:16:00.5/pci10000:00/10000:00:02.0";
  const uevent = "PCI_CLASS=10802\nPCI_ID=144D:A826\nPCI_SUBSYS_ID=0000:0000\n";
  const functions = read({
    ...pciFiles([controller]),
    "/sys/bus/pci/devices/10000:00:02.0": { link: `../../..${folder.slice(4)}` },
    [`${folder}/uevent`]: "PCI_CLASS=60400\nPCI_ID=8086:352A\nPCI_SUBSYS_ID=0000:0000\n",
    [`${folder}/max_link_speed`]: "Unknown\n",
    "/sys/bus/pci/devices/10000:01:00.0": { link: `../../..${folder.slice(4)}/10000:01:00.0` },
    [`${folder}/10000:01:00.0/uevent`]: uevent,
  });
  expect(functions).toEqual([
    controller,
    pciFunction("10000:00:02.0", { kind: "root-port", class: "060400", vendor: "8086", device: "352a" }),
    pciFunction("10000:01:00.0", {
      rootBus: "10000:00",
      parent: "10000:00:02.0",
      class: "010802",
      vendor: "144d",
      device: "a826",
    }),
  ]);
});

it("takes what the kernel remembers of a function that does not answer", () => {
  const tree = pciFiles(behindSwitch);
  const folder = "/sys/devices/pci0000:17/0000:17:01.0";
  const dead = read({
    ...tree,
    [`${folder}/config`]: { bytes: Buffer.alloc(4096, 0xff) },
    [`${folder}/max_link_width`]: "255\n",
  });
  expect(dead[0]).toMatchObject({ kind: "root-port", vendor: "1000" });
  expect(dead[0]).not.toHaveProperty("acs");
  expect(dead[0]).not.toHaveProperty("link");
});

it("says 0 for the speed and width of a port without a link now, whatever speed it had", () => {
  const link = { maxSpeed: 16, maxWidth: 4, speed: 0, width: 0 };
  const functions = [pciFunction("0000:00:1c.0", { kind: "root-port", class: "060400", link })];
  expect(read(pciFiles(functions))).toEqual(functions);
  expect(read(pciFiles(functions, "user"))).toEqual(functions);
  const stale = { ...link, speed: 2.5 };
  const before = functions.map((each) => ({ ...each, link: stale }));
  expect(read(pciFiles(before))).toEqual(functions);
  expect(read(pciFiles(before, "user"))).toEqual(functions);
});

it("has no link for a function of the root complex", () => {
  const link = { maxSpeed: 0, maxWidth: 0, speed: 0, width: 0 };
  const drawn = pciFunction("0000:00:02.0", { class: "030000" });
  expect(read(pciFiles([{ ...drawn, link }]))).toEqual([drawn]);
  expect(read(pciFiles([{ ...drawn, link }], "user"))).toEqual([drawn]);
});

it("ends with a chain of capabilities that is a ring", () => {
  const bytes = Buffer.alloc(256);
  bytes.writeUInt16LE(0x8086, 0);
  bytes.writeUInt16LE(0x10, 6);
  bytes.writeUInt8(0x50, 0x34);
  bytes.writeUInt16LE(0x5001, 0x50);
  const tree = pciFiles([pciFunction("0000:00:01.0")]);
  expect(kinds(read({ ...tree, "/sys/devices/pci0000:00/0000:00:01.0/config": { bytes } }))).toEqual({
    "0000:00:01.0": "endpoint",
  });
});

it("leaves out a function that went away, and has none on a machine without PCI", () => {
  expect(
    read({ "/sys/bus/pci/devices/0000:00:01.0": { link: "../../../devices/pci0000:00/0000:00:01.0" } }),
  ).toEqual([]);
  expect(read({})).toEqual([]);
});
