import { describe, expect, it } from "vitest";
import { bindFunctions, listHostFunctions, unbindFunctions } from "../../src/actions/vfio.ts";
import { QlaunchError } from "../../src/errors/index.ts";
import type { Event } from "../../src/events/event.ts";
import type { PciFunction } from "../../src/host/index.ts";
import { pciFunction } from "../host/pci-functions.ts";
import { type VfioHost, vfioHost } from "../rig/vfio-host.ts";
import { record } from "../vm/vfio/passed.ts";

const gpu = pciFunction("0000:41:00.0", {
  class: "030200",
  vendor: "10de",
  iommuGroup: 1,
  driver: "nvidia",
  node: 1,
});
const audio = pciFunction("0000:41:00.1", { class: "040300", vendor: "10de", iommuGroup: 1, driver: "snd" });
const disk = pciFunction("0000:42:00.0", { class: "010802", iommuGroup: 2, driver: "nvme" });
const held = pciFunction("0000:43:00.0", { iommuGroup: 3, driver: "vfio-pci" });
const port = pciFunction("0000:40:01.0", {
  class: "060400",
  kind: "root-port",
  iommuGroup: 0,
  driver: "pcieport",
  link: { maxSpeed: 16, maxWidth: 16, speed: 16, width: 16 },
});
const functions: readonly PciFunction[] = [port, gpu, audio, disk, held];

/** The function with group 3 belongs to a VM whose start was killed; the root file system is on the disk. */
function hostOf(list = functions): VfioHost {
  const undo = [
    {
      step: "bind 0000:43:00.0",
      action: { do: "give-back-device", address: "0000:43:00.0", driver: "nvme", override: null },
    },
  ];
  return vfioHost(list, {
    files: {
      "/run/qlaunch/old/vm.json": JSON.stringify({ ...record, name: "old", undo }),
      "/sys/devices/system/cpu/online": "0\n",
      "/proc/meminfo": "MemTotal: 1024 kB\nMemFree: 512 kB\n",
      "/proc/self/mountinfo": "1 1 259:1 / / rw - ext4 /dev/nvme0n1 rw\n",
      "/sys/dev/block/259:1": { link: "../../devices/pci0000:42/0000:42:00.0/nvme/nvme0/nvme0n1" },
      "/sys/class/block/nvme0n1": { link: "../../devices/pci0000:42/0000:42:00.0/nvme/nvme0/nvme0n1" },
      "/sys/devices/pci0000:42/0000:42:00.0/nvme/nvme0/nvme0n1/dev": "259:1\n",
    },
  });
}

async function problems(work: Promise<unknown>): Promise<string[]> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof QlaunchError)) throw error;
  for (const { path } of error.diagnostics) expect(path).toEqual([]);
  return error.diagnostics.map(({ code, found }) => `${code}: ${found}`);
}

describe("the list", () => {
  it("has what guests can be given, by group, with the VM that has it and what the host needs it for", () => {
    const list = listHostFunctions(hostOf().system, { all: false });
    expect(list.map(({ address }) => address)).toEqual([
      "0000:41:00.0",
      "0000:41:00.1",
      "0000:42:00.0",
      "0000:43:00.0",
    ]);
    expect(list[0]).toEqual({
      address: "0000:41:00.0",
      iommuGroup: 1,
      kind: "endpoint",
      class: "030200",
      vendor: "10de",
      device: "1041",
      node: 1,
      driver: "nvidia",
    });
    expect(list[2]).toMatchObject({ hostUse: "the root file system" });
    expect(list[3]).toMatchObject({ vm: "old", driver: "vfio-pci" });
  });

  it("has the rest when all is asked for", () => {
    const list = listHostFunctions(hostOf().system, { all: true });
    expect(list[0]).toMatchObject({ address: "0000:40:01.0", kind: "root-port" });
  });
});

describe("bind", () => {
  it("takes a whole group, in any spelling", async () => {
    const host = hostOf();
    const events: Event[] = [];
    const changes = await bindFunctions(host.system, ["41:00.1", "0000:41:00.0", "41:00.0"], (event) =>
      events.push(event),
    );
    expect(changes).toEqual([
      { address: "0000:41:00.0", from: "nvidia", to: "vfio-pci" },
      { address: "0000:41:00.1", from: "snd", to: "vfio-pci" },
    ]);
    expect(host.stateOf("0000:41:00.1")).toBe("vfio-pci (override vfio-pci)");
    expect(events).toContainEqual({
      type: "step-ended",
      step: "bind 0000:41:00.0",
      elapsedMs: 0,
      summary: "nvidia -> vfio-pci",
    });
  });

  it("refuses all at once, and touches nothing", async () => {
    const host = hostOf();
    const wanted = ["40:01.0", "41:00.0", "42:00.0", "43:00.0", "77:00.0"];
    expect((await problems(bindFunctions(host.system, wanted, () => {}))).sort()).toEqual([
      expect.stringMatching(/^HOST_DEVICE_ABSENT: 0000:77:00.0/),
      expect.stringMatching(/^HOST_DEVICE_BUSY: 0000:43:00.0, which old has/),
      expect.stringMatching(/^HOST_DEVICE_KIND: 0000:40:01.0, which is a root port/),
      expect.stringMatching(/^HOST_DEVICE_NEEDED: 0000:42:00.0, which has the root file system/),
      expect.stringMatching(/^HOST_IOMMU_GROUP: .*0000:41:00.1 \(snd\)/),
    ]);
    expect(host.writes).toEqual([]);
  });

  it("refuses what is no address as wrong usage", async () => {
    expect(await problems(bindFunctions(hostOf().system, ["41:00.0", "gpu", "../41"], () => {}))).toEqual([
      'USAGE: "gpu", "../41", which are no PCI addresses',
    ]);
  });

  it("gives back what it took when one fails", async () => {
    const host = hostOf([gpu, audio]);
    const { system } = host;
    const write: typeof system.files.write = (path, text) => {
      if (text === "0000:41:00.1" && path.endsWith("vfio-pci/bind")) host.refusing.add("vfio-pci");
      system.files.write(path, text);
    };
    const events: Event[] = [];
    const started = bindFunctions(
      { ...system, files: { ...system.files, write } },
      ["41:00.0", "41:00.1"],
      (event) => events.push(event),
    );
    expect(await problems(started)).toEqual([
      "HOST_DEVICE_BIND: 0000:41:00.1 could not be taken from snd: the kernel refused (ENODEV)",
    ]);
    expect([host.stateOf("0000:41:00.0"), host.stateOf("0000:41:00.1")]).toEqual(["nvidia", "snd"]);
    expect(events.slice(-2)).toEqual([
      { type: "step-undone", step: "bind 0000:41:00.1" },
      { type: "step-undone", step: "bind 0000:41:00.0" },
    ]);
  });
});

describe("unbind", () => {
  it("gives back what bind took, and leaves what has its driver", async () => {
    const host = hostOf();
    await bindFunctions(host.system, ["41:00.0", "41:00.1"], () => {});
    expect(await unbindFunctions(host.system, ["41:00.0", "41:00.1", "42:00.0"], () => {})).toEqual([
      { address: "0000:41:00.0", from: "vfio-pci", to: "nvidia" },
      { address: "0000:41:00.1", from: "vfio-pci", to: "snd" },
      { address: "0000:42:00.0", from: "nvme", to: "nvme" },
    ]);
    expect(host.stateOf("0000:41:00.0")).toBe("nvidia");
  });

  it("refuses what a VM has, what is gone, and what another program uses", async () => {
    const host = hostOf();
    expect(await problems(unbindFunctions(host.system, ["43:00.0"], () => {}))).toEqual([
      "HOST_DEVICE_BUSY: 0000:43:00.0, which old has",
    ]);
    await bindFunctions(host.system, ["41:00.0", "41:00.1"], () => {});
    const files = { ...host.system.files, opens: (path: string) => path !== "/dev/vfio/1" };
    const busy = { ...host.system, files };
    expect(await problems(unbindFunctions(busy, ["41:00.0", "77:00.0"], () => {}))).toEqual([
      "HOST_DEVICE_BUSY: 0000:41:00.0, whose /dev/vfio/1 another program has open",
      "HOST_DEVICE_ABSENT: there is no PCI function 0000:77:00.0",
    ]);
    expect(host.stateOf("0000:41:00.0")).toBe("vfio-pci (override vfio-pci)");
  });
});
