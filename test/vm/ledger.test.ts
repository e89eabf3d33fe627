import { expect, it } from "vitest";
import { Journal } from "../../src/vm/journal.ts";
import { holdings } from "../../src/vm/ledger.ts";
import type { VmRecord } from "../../src/vm/record.ts";
import { takenDevices } from "../../src/vm/reserve.ts";
import { vfioHost } from "../rig/vfio-host.ts";
import { record } from "./vfio/passed.ts";

const pciFunctions = ["0000:41:00.0", "0000:42:00.0"];
const stat = `7 (qemu) ${["S", ...Array.from({ length: 49 }, () => "5")].join(" ")}`;
const undo: VmRecord["undo"] = [
  ...record.undo,
  {
    step: "bind 0000:42:00.0",
    action: { do: "give-back-device", address: "0000:42:00.0", driver: "nvme", override: null },
  },
];
const memory = [{ bytes: 2 ** 30, pageSizeBytes: 0, hostNodes: [1] }];
const running: VmRecord = {
  ...record,
  phase: "running",
  bootId: "this",
  qemu: { pid: 7, startTimeTicks: 5 },
  cells: [{ id: 0, memoryBytes: 2 ** 30, pageSizeBytes: 0, hostNodes: [1] }],
  exclusiveCpus: [3],
  pciFunctions,
  undo,
};

function systemWith(vm: VmRecord, files: Record<string, string> = {}) {
  const tree = {
    "/run/vm/vm.json": JSON.stringify(vm),
    "/proc/sys/kernel/random/boot_id": "this\n",
    ...files,
  };
  return vfioHost([], { files: tree }).system;
}

it("has the CPUs and devices of VMs that live", () => {
  const system = systemWith(running, { "/proc/7/stat": stat });
  expect(holdings(system, "/run")).toEqual([{ vm: "vm", exclusiveCpus: [3], memory, pciFunctions }]);
});

it("has none of a VM by an older program", () => {
  const { pciFunctions: _, ...older } = running;
  const system = systemWith({ ...older, undo: record.undo }, { "/proc/7/stat": stat });
  expect(holdings(system, "/run")).toEqual([{ vm: "vm", exclusiveCpus: [3], memory, pciFunctions: [] }]);
});

it("has the devices of a dead VM that nobody gave back, until the host starts anew", () => {
  expect(holdings(systemWith(running), "/run")).toEqual([
    { vm: "vm", exclusiveCpus: [], memory: [], pciFunctions: ["0000:42:00.0"] },
  ]);
  expect(holdings(systemWith({ ...running, bootId: "before" }), "/run")).toEqual([]);
});

it("keeps another VM from devices that are taken", () => {
  const system = systemWith(running, { "/proc/7/stat": stat });
  expect(takenDevices(system, "/run", ["0000:42:00.0", "0000:50:00.0"])).toMatchObject([
    { code: "HOST_DEVICE_BUSY", found: "0000:42:00.0 belongs to vm" },
  ]);
  expect(takenDevices(system, "/run", ["0000:50:00.0"])).toEqual([]);
});

it("notes devices below a QEMU that runs already, so that they are given back after its end", () => {
  const qemu = {
    step: "start QEMU",
    action: { do: "end-process", process: null, marks: ["-pidfile", "/x"] },
  } as const;
  const { system } = vfioHost([]);
  const journal = new Journal(system.files, "/run/vm", { ...record, undo: [...record.undo, qemu] });
  journal.registerDevices(undo.slice(1));
  expect(journal.record.undo.map(({ step }) => step)).toEqual([
    "make the run directory",
    "bind 0000:42:00.0",
    "start QEMU",
  ]);
});
