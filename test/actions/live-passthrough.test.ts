import { expect, it } from "vitest";
import { planPassed } from "../../src/actions/live-passthrough.ts";
import type { LiveFacts, LivePort } from "../../src/hotplug/index.ts";
import { parseProfile } from "../../src/profile/index.ts";
import { pciFunction } from "../host/pci-functions.ts";
import { vfioHost } from "../rig/vfio-host.ts";

const gpu = pciFunction("0000:41:00.0", {
  class: "030200",
  vendor: "10de",
  iommuGroup: 1,
  driver: "nvidia",
  node: 1,
});
const audio = pciFunction("0000:41:00.1", { class: "040300", vendor: "10de", iommuGroup: 1, driver: "snd" });

const ports: readonly LivePort[] = [
  { id: "spare0", cell: undefined, spare: true, pref64Bytes: 0, occupant: undefined },
  { id: "near1", cell: 1, spare: true, pref64Bytes: 0, occupant: undefined },
];
const cells = [
  { id: 0, memoryBytes: 1, pageSizeBytes: 0, hostNodes: [0] },
  { id: 1, memoryBytes: 1, pageSizeBytes: 0, hostNodes: [1] },
];

/** A VM that has a device gpu0, on a machine with these functions. */
async function plan(
  functions = [gpu],
  { id, bus, options = [] }: { id?: string; bus?: string; options?: object[] } = {},
) {
  const text = JSON.stringify({ version: 1, name: "vm", cpus: { boot: 1 }, memory: { size: "1G" } });
  const { profile } = await parseProfile(text, "vm.json");
  if (profile === undefined) throw new Error("the profile is wrong");
  const { system } = vfioHost(functions, {
    files: {
      "/sys/devices/system/cpu/online": "0\n",
      "/proc/meminfo": "MemTotal: 1024 kB\nMemFree: 512 kB\n",
    },
  });
  const facts = {
    plan: { options, placement: { cells } },
    devices: async () => [{ id: "gpu0", type: "vfio-pci" }],
    ports: async () => ports,
  } as unknown as LiveFacts;
  return planPassed(system, "0000:41:00.0", profile, facts, id, { bus, cell: undefined });
}

it("goes to a port of the cell that is bound to its node, by a name that is free", async () => {
  expect(await plan()).toMatchObject({
    ok: true,
    value: {
      id: "gpu1",
      options: [{ driver: "vfio-pci", id: "gpu1", properties: { bus: "near1", host: "0000:41:00.0" } }],
      passthrough: [{ address: "0000:41:00.0", deviceId: "gpu1", iommuGroup: 1 }],
    },
  });
});

it("goes where it is told to, by the name that it is given", async () => {
  expect(await plan([gpu], { id: "late", bus: "spare0" })).toMatchObject({
    ok: true,
    value: { id: "late", options: [{ properties: { bus: "spare0", addr: "0x0" } }] },
  });
});

it("uses iommufd where the VM does", async () => {
  const options = [{ option: "object", qomType: "iommufd", id: "iommufd0", properties: {}, because: [] }];
  expect(await plan([gpu], { options })).toMatchObject({
    ok: true,
    value: { options: [{ properties: { iommufd: "iommufd0" } }] },
  });
});

it("is refused with its group, as in a profile", async () => {
  expect(await plan([gpu, audio])).toMatchObject({
    ok: false,
    diagnostics: [{ code: "HOST_IOMMU_GROUP", found: expect.stringContaining("0000:41:00.1 (snd)") }],
  });
});

it("with large BARs is warned of on a port that kept no room for them", async () => {
  const bars = [{ index: 2, sizeBytes: 2 ** 36, kind: "mem64", prefetchable: true } as const];
  expect(await plan([{ ...gpu, bars }])).toMatchObject({
    ok: true,
    warnings: [
      {
        code: "LIVE_PORT",
        found: "gpu1 with 64 GiB of 64-bit window on near1, which kept none",
        fix: 'write "spareReserve": "64G" in pcie, and start the VM again',
      },
    ],
  });
});
