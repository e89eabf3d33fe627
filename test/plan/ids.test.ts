import { describe, expect, it } from "vitest";
import { plan, problems } from "./planning.ts";

const disk = (id: string) => ({ id, file: `/${id}`, format: "raw" });
const network = (id: string) => ({ id, user: {} });

describe("two things of one name are refused", () => {
  it.each<[string, object, string]>([
    [
      "two disks",
      { disks: [disk("a"), { ...disk("a"), file: "/b" }] },
      'ID_DUPLICATE disks[1].id: the block node "a" a second time; disks[0].id has it',
    ],
    [
      "a disk and a card",
      { disks: [disk("a")], networks: [network("a")] },
      'ID_DUPLICATE networks[0].id: the device "a" a second time; disks[0].id has it',
    ],
    [
      "a disk and a port",
      { pcie: { tree: [{ rootPort: "a" }] }, disks: [disk("a")] },
      'ID_DUPLICATE disks[0].id: the device "a" a second time; pcie.tree[0].rootPort has it',
    ],
    [
      "two ports",
      { pcie: { tree: [{ expander: "a", ports: [{ rootPort: "a" }] }] } },
      'ID_DUPLICATE pcie.tree[0].ports[0].rootPort: the device "a" a second time; pcie.tree[0].expander has it',
    ],
    [
      "two consoles",
      { consoles: [{ type: "serial" }, { type: "virtio", id: "serial0" }] },
      'ID_DUPLICATE consoles[1].id: the device "serial0" a second time; consoles[0] has it',
    ],
    [
      "two folders",
      {
        filesystems: [
          { id: "a", type: "9p", path: "/x" },
          { id: "a", type: "9p", path: "/y" },
        ],
      },
      'ID_DUPLICATE filesystems[1].id: the device "a" a second time; filesystems[0].id has it',
    ],
    [
      "two I/O threads",
      { iothreads: ["a", "a"] },
      'ID_DUPLICATE iothreads[1]: the object "a" a second time; iothreads[0] has it',
    ],
    [
      "two firmware entries",
      {
        fwCfg: [
          { name: "opt/a", string: "1" },
          { name: "opt/a", string: "2" },
        ],
      },
      "ID_DUPLICATE fwCfg[1].name: opt/a a second time",
    ],
  ])("%s", (_, changes, problem) => {
    const found = problems(changes);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(problem);
  });
});

describe("names that the planner makes up are taken", () => {
  const tpm = {};
  it.each<[string, object, string]>([
    [
      "a card's port",
      { networks: [network("a")], disks: [disk("rp-a")] },
      'networks[0].id: the device "rp-a" a second time; disks[0].id has it',
    ],
    [
      "a spare port",
      { disks: [disk("spare1")] },
      'pcie.spareRootPorts: the device "spare1" a second time; disks[0].id has it',
    ],
    [
      "a vCPU",
      { disks: [disk("cpu1")] },
      'disks[0].id: the device "cpu1" a second time; cpus.hotpluggable has it',
    ],
    [
      "the node below a disk",
      { disks: [disk("a"), disk("a.file")] },
      'disks[1].id: the block node "a.file" a second time; disks[0].id has it',
    ],
    [
      "a cell's memory",
      { iothreads: ["ram-node0"] },
      'iothreads[0]: the object "ram-node0" a second time; memory has it',
    ],
    [
      "the random source",
      { iothreads: ["rng0-source"] },
      'rng: the object "rng0-source" a second time; iothreads[0] has it',
    ],
    ["the TPM", { tpm, disks: [disk("tpm0")] }, 'tpm: the device "tpm0" a second time; disks[0].id has it'],
    [
      "the monitor's socket",
      { consoles: [{ type: "serial", id: "monitor" }] },
      'consoles[0].id: the socket "/run/qlaunch/vm/qemu/monitor.sock" a second time',
    ],
    [
      "the TPM's socket",
      { tpm, consoles: [{ type: "serial", id: "tpm" }] },
      'tpm: the socket "/run/qlaunch/vm/qemu/tpm.sock" a second time; consoles[0].id has it',
    ],
    [
      "a folder's socket",
      { filesystems: [{ id: "a", path: "/x" }], consoles: [{ type: "serial", id: "a.fs" }] },
      'consoles[0].id: the socket "/run/qlaunch/vm/qemu/a.fs.sock" a second time; filesystems[0].id has it',
    ],
    [
      "the window's firmware entry",
      {
        machine: { firmware: { ovmf: { code: "/c", vars: "/v" } } },
        pcie: { mmio64: "64G" },
        fwCfg: [{ name: "opt/ovmf/X-PciMmio64Mb", string: "1" }],
      },
      "fwCfg[0].name: opt/ovmf/X-PciMmio64Mb a second time; another entry, or the plan itself, has it",
    ],
  ])("%s", (_, changes, problem) => {
    const found = problems(changes);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`ID_DUPLICATE ${problem}`);
  });
});

it("a device and an I/O thread may share a name, as QEMU allows", () => {
  expect(plan({ iothreads: ["a"], disks: [{ ...disk("a"), iothread: "a" }] }).name).toBe("vm");
});
