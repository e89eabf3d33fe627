import { describe, expect, it } from "vitest";
import { renderArgv } from "../../src/argv/index.ts";
import { planVm } from "../../src/plan/index.ts";
import { guestBlockBytes } from "../../src/plan/memory-device-checks.ts";
import { parseProfile, resolvePaths } from "../../src/profile/index.ts";
import { world } from "../invalid/hosts.ts";

const gibibyte = 2 ** 30;
const directory = "/run/qlaunch/vm";
const places = {
  directory,
  pidFile: `${directory}/qemu.pid`,
  logFile: `${directory}/qemu.log`,
  qmpSocket: `${directory}/qmp.sock`,
  monitorSocket: `${directory}/monitor.sock`,
  qemuDirectory: `${directory}/qemu`,
};

/** Four cells on four host nodes, with 16 slots up to 512 GiB. */
async function plan(memory: object, rest: object = {}) {
  const profile = {
    version: 1,
    name: "vm",
    machine: { accel: "kvm" },
    cpus: { boot: 16 },
    memory: { size: "64G", max: "512G", slots: 16, ...memory },
    numa: {
      cells: [0, 1, 2, 3].map((id) => ({
        cpus: `${id * 4}-${id * 4 + 3}`,
        memory: "16G",
        hostNodes: String(id),
      })),
    },
    pinning: { vcpus: "none" },
    ...rest,
  };
  const reading = await parseProfile(JSON.stringify(profile), "vm.json");
  if (!reading.profile) throw new Error(JSON.stringify(reading.diagnostics));
  return planVm({ profile: resolvePaths(reading.profile, "/vm"), places, ...world("ol8") });
}

/** What stands behind an option, in the order of the command line. */
async function values(option: string, memory: object, rest?: object): Promise<string[]> {
  const planned = await plan(memory, rest);
  if (!planned.ok) throw new Error(JSON.stringify(planned.diagnostics));
  const argv = renderArgv(planned.value);
  return argv.filter((_, index) => argv[index - 1] === option);
}

describe("an NVDIMM", () => {
  const devices = [
    {
      id: "nv0",
      kind: "nvdimm",
      path: "/dev/dax0.0",
      size: "512M",
      cell: 2,
      labelSize: "128K",
      align: "2M",
      pmem: true,
    },
  ];

  it("is the DAX device, shared, on its cell", async () => {
    expect(await values("-object", { devices })).toContain(
      "memory-backend-file,id=ram-nv0,mem-path=/dev/dax0.0,size=536870912,share=on,align=2097152,pmem=on",
    );
    expect(await values("-device", { devices })).toContain(
      "nvdimm,id=nv0,memdev=ram-nv0,node=2,label-size=131072",
    );
  });

  it("is only read when it is unarmed", async () => {
    const unarmed = [{ id: "nv0", kind: "nvdimm", path: "rom.img", size: "512M", unarmed: true }];
    expect(await values("-object", { devices: unarmed })).toContain(
      "memory-backend-file,id=ram-nv0,mem-path=/vm/rom.img,size=536870912,share=on,readonly=on",
    );
    expect(await values("-device", { devices: unarmed })).toContain(
      "nvdimm,id=nv0,memdev=ram-nv0,node=0,unarmed=on",
    );
    const planned = await plan({ devices: unarmed });
    expect(planned.ok && planned.value.run.files).toContainEqual({
      path: "/vm/rom.img",
      access: "read",
      kind: "file",
      profilePath: ["memory", "devices", 0, "path"],
      what: "nvdimm nv0",
    });
  });

  it("comes after the DIMMs, whose addresses its label would shift", async () => {
    const mixed = [...devices, { id: "dimm0", size: "32G" }];
    const drivers = (await values("-device", { devices: mixed })).map((value) => value.split(",")[0]);
    expect(drivers.indexOf("pc-dimm")).toBeLessThan(drivers.indexOf("nvdimm"));
  });

  it("needs a machine that takes it, as every slot may", async () => {
    expect((await values("-machine", {}))[0]).toMatch(/,nvdimm=on$/);
    expect((await values("-machine", { slots: 0, max: "64G" }))[0]).not.toContain("nvdimm");
  });
});

describe("a DIMM", () => {
  it("is backed as its cell is", async () => {
    const devices = [{ id: "dimm0", size: "32G", cell: 3 }];
    expect(await values("-object", { devices })).toContain(
      "memory-backend-ram,id=ram-dimm0,size=34359738368,host-nodes=3,policy=bind",
    );
    expect(await values("-device", { devices })).toContain("pc-dimm,id=dimm0,memdev=ram-dimm0,node=3");
  });

  it("shares the threads that take its cell's pages", async () => {
    const devices = [{ id: "dimm0", size: "32G", cell: 1 }];
    expect(await values("-object", { devices, prealloc: true })).toContain(
      "memory-backend-ram,id=ram-dimm0,size=34359738368,host-nodes=1,policy=bind,prealloc=on,prealloc-threads=16,prealloc-context=prealloc-node1",
    );
  });

  it("counts on its host node beside the cell", async () => {
    const devices = [{ id: "dimm0", size: "440G", cell: 1 }];
    const planned = await plan({ devices });
    const diagnostics = planned.ok ? [] : planned.diagnostics;
    expect(diagnostics.map(({ code, path }) => [code, path.join(".")])).toEqual([
      ["HOST_MEMORY_SHORT", "memory.devices.0.size"],
    ]);
  });
});

describe("a virtio-mem device", () => {
  const devices = [{ id: "grows", kind: "virtio-mem", size: "32G", requested: "2G", cell: 1 }];

  it("sits on a port and reserves nothing", async () => {
    expect(await values("-object", { devices, slots: 0 })).toContain(
      "memory-backend-ram,id=ram-grows,size=34359738368,host-nodes=1,policy=bind,reserve=off",
    );
    expect(await values("-device", { devices, slots: 0 })).toContain(
      "virtio-mem-pci,id=grows,bus=rp-grows,addr=0x0,memdev=ram-grows,node=1,requested-size=2147483648",
    );
  });

  it("takes what the guest gets beforehand, as the profile wants", async () => {
    const [device] = (await values("-device", { devices, prealloc: true })).filter((value) =>
      value.startsWith("virtio-mem-pci"),
    );
    expect(device).toMatch(/,prealloc=on$/);
  });
});

describe("the guest's memory block", () => {
  it.each([
    [4, 128],
    [63.5, 128],
    [64, 2048],
    [65, 1024],
    [64.25, 256],
    [64.0625, 128],
  ])("of a guest of %d GiB has %d MiB", (memoryGib, blockMib) => {
    expect(guestBlockBytes(memoryGib * gibibyte)).toBe(blockMib * 2 ** 20);
  });
});
