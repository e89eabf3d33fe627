import { describe, expect, it } from "vitest";
import { renderVm, renderVms } from "../../src/report/index.ts";
import type { VmDetail, VmSummary } from "../../src/vm/types.ts";
import { plain } from "./style.ts";

const running: VmSummary = {
  name: "gpu",
  state: "running",
  qemuState: "running",
  pid: 4242,
  uptimeMs: 125_000,
  vcpus: 16,
  memoryBytes: 32 * 2 ** 30,
  residentBytes: 1.5 * 2 ** 30,
  problem: undefined,
};
const ended: VmSummary = {
  name: "old",
  state: "ended",
  qemuState: undefined,
  pid: undefined,
  uptimeMs: undefined,
  vcpus: undefined,
  memoryBytes: undefined,
  residentBytes: undefined,
  problem: "QEMU is gone; qlaunch down old cleans up",
};

describe("ps", () => {
  it("is a table, with what is wrong below", () => {
    expect(
      renderVms(
        [running, ended, { ...running, name: "db", state: "halted", qemuState: "guest-panicked" }],
        plain,
      ),
    ).toEqual([
      "name  state                     pid  vCPUs  memory   in use         up",
      "gpu   running                  4242     16  32 GiB  1.5 GiB  2 min 5 s",
      "old   ended                       -      -       -        -          -",
      "db    halted (guest-panicked)  4242     16  32 GiB  1.5 GiB  2 min 5 s",
      "",
      "old: QEMU is gone; qlaunch down old cleans up",
    ]);
  });

  it("says when there is none", () => {
    expect(renderVms([], plain)).toEqual(["no VM"]);
  });
});

it("info has the facts that there are, and the cells", () => {
  const detail: VmDetail = {
    ...running,
    uuid: "2dae4266-6da5-4893-8616-bc2871c4b80f",
    createdMs: 0,
    program: "/usr/bin/qemu-system-x86_64",
    directory: "/run/qlaunch/gpu",
    logFile: "/run/qlaunch/gpu/qemu.log",
    monitorSocket: "/run/qlaunch/gpu/monitor.sock",
    consoles: [{ id: "serial0", type: "serial", socket: "/run/qlaunch/gpu/serial0.sock" }],
    helpers: [{ id: "share0", pid: 4243, running: false }],
    exclusiveCpus: [4, 5, 6],
    pciFunctions: ["0000:41:00.0", "0000:42:00.0"],
    cells: [
      { id: 0, memoryBytes: 2 ** 30, pageSizeBytes: 0, hostNodes: [0] },
      { id: 1, memoryBytes: 2 ** 31, pageSizeBytes: 2 ** 21, hostNodes: undefined },
    ],
    pciTree: {
      numbered: true,
      deadBridges: [],
      unmappedBars: [{ device: "gpu0", bar: 2, sizeBytes: 2 ** 38 }],
      problems: ["without an address: BAR 2 of gpu0 (256 GiB)"],
    },
  };
  expect(renderVm(detail, plain)).toEqual([
    "name       gpu",
    "state      running",
    "uuid       2dae4266-6da5-4893-8616-bc2871c4b80f",
    "pid        4242",
    "up         2 min 5 s",
    "created    1970-01-01T00:00:00.000Z",
    "program    /usr/bin/qemu-system-x86_64",
    "vCPUs      16",
    "memory     32 GiB",
    "in use     1.5 GiB",
    "own CPUs   4-6",
    "devices    0000:41:00.0, 0000:42:00.0",
    "PCI        without an address: BAR 2 of gpu0 (256 GiB)",
    "directory  /run/qlaunch/gpu",
    "log        /run/qlaunch/gpu/qemu.log",
    "monitor    /run/qlaunch/gpu/monitor.sock",
    "console    serial0 (serial) /run/qlaunch/gpu/serial0.sock",
    "helper     share0, pid 4243, ended",
    "",
    "cell  memory  pages     host nodes",
    "   0   1 GiB  ordinary  0",
    "   1   2 GiB  2 MiB     -",
  ]);
});
