import { describe, expect, it } from "vitest";
import { listNames, type VmRecord } from "../../src/vm/record.ts";
import { parseRecord } from "../../src/vm/record-format.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const fakeTree = (tree: Parameters<typeof fakeSystem>[0]) => fakeSystem(tree).files;

const record: VmRecord = {
  format: 1,
  qlaunch: "0.1.0",
  name: "vm",
  uuid: "5f2c9c1e-6a0e-4a3e-9d57-0c3f3d1a2b4c",
  phase: "running",
  worker: null,
  bootId: "boot",
  createdMs: 1,
  program: "/usr/bin/qemu-system-x86_64",
  qemu: { pid: 2, startTimeTicks: 3 },
  helpers: [{ id: "tpm", process: { pid: 4, startTimeTicks: 5 } }],
  vcpus: 1,
  memoryBytes: 64,
  cells: [{ id: 0, memoryBytes: 64, pageSizeBytes: 0, hostNodes: [0] }],
  exclusiveCpus: [1],
  undo: [
    { step: "make the run directory", action: { do: "remove", path: "/run/qlaunch/vm" } },
    {
      step: "bind 0000:41:00.0",
      action: { do: "give-back-device", address: "0000:41:00.0", driver: "nvidia", override: null },
    },
    { step: "start QEMU", action: { do: "end-process", process: null, marks: ["-pidfile", "/x"] } },
  ],
};

const giveBack = (change: object) => ({
  undo: [
    {
      step: "x",
      action: { do: "give-back-device", address: "0000:41:00.0", driver: null, override: null, ...change },
    },
  ],
});

describe("vm.json", () => {
  it("is read as it was written", () => {
    expect(parseRecord(JSON.stringify(record))).toEqual({ kind: "record", record });
  });

  it("of another format is told apart from a broken one", () => {
    expect(parseRecord(JSON.stringify({ format: 2 }))).toMatchObject({ kind: "newer" });
    expect(parseRecord(JSON.stringify({ format: 0 }))).toMatchObject({ kind: "broken" });
    expect(parseRecord("{")).toMatchObject({ kind: "broken", problem: "its vm.json is not JSON" });
    expect(parseRecord("[]")).toMatchObject({ kind: "broken" });
  });

  it("may have devices of the host", () => {
    const withDevices = { ...record, pciFunctions: ["0000:41:00.0"] };
    expect(parseRecord(JSON.stringify(withDevices))).toEqual({ kind: "record", record: withDevices });
  });

  it.each(Object.keys(record))("is broken without %s", (key) => {
    const { [key as keyof VmRecord]: _, ...without } = record;
    expect(parseRecord(JSON.stringify(without)).kind).toBe("broken");
  });

  it.each([
    { qemu: { pid: "2", startTimeTicks: 3 } },
    { phase: "flying" },
    { exclusiveCpus: [-1] },
    { undo: [{ step: "x", action: { do: "format-disk", path: "/" } }] },
    { undo: [{ step: "x", action: { do: "remove" } }] },
    { helpers: {} },
    { pciFunctions: ["../../etc"] },
    giveBack({ address: "../0000:41:00.0" }),
    giveBack({ address: "0000:41:00.0\n" }),
    giveBack({ driver: "../../../etc" }),
    giveBack({ driver: ".." }),
    giveBack({ override: "nvme\nvfio-pci" }),
    giveBack({ override: undefined }),
  ])("is broken with %j", (change) => {
    expect(parseRecord(JSON.stringify({ ...record, ...change })).kind).toBe("broken");
  });
});

describe("the VMs of a run root", () => {
  it("are folders with a record, or that can only be ours", () => {
    const folder = { facts: { kind: "directory" } } as const;
    const files = fakeTree({
      "/run/a/vm.json": "{}",
      "/run/b": folder,
      "/run/b/.12.tmp": "",
      "/run/photos/holiday.jpg": "",
      "/run/file": "",
      "/run/.vm.lock": "",
      "/run/link": { link: "/run/a" },
    });
    expect(listNames(files, "/run")).toEqual(["a", "b"]);
  });
});
