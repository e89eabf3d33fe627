import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comparePlans } from "../../src/rehearse/index.ts";
import { anyPciTree, hostWith, workstation } from "../plan/host-pci.ts";
import { recordedHost } from "../plan/planning.ts";
import { rehearse } from "./rehearsal.ts";

const shipped = JSON.parse(readFileSync(new URL("../../profiles/hgx-h200.json", import.meta.url), "utf8"));
const hgx = { ...shipped, pcie: { ...shipped.pcie, mmio64: "4608G" } };
const firmware = [{ code: "/code.fd", vars: "/vars.fd", secureBoot: false }];

describe("an HGX board", () => {
  it("keeps its 21 devices below the same ports, on small sockets", async () => {
    const host = { ...recordedHost("hgx-h200"), firmware };
    const { plan, outer, inner, ids } = await rehearse(hgx, host);
    expect(ids).toHaveLength(21);
    expect(comparePlans(plan.devices, inner.plan.devices, ids).filter(({ same }) => !same)).toEqual([]);
    expect(inner.plan.devices.filter(({ driver }) => driver === "vfio-pci").map(({ id }) => id)).toEqual(
      plan.devices.filter(({ driver }) => driver === "vfio-pci").map(({ id }) => id),
    );
    expect(outer.notes).toEqual([
      "simulated host: 96 CPUs -> 4, 2.0 TiB -> 2.9 GiB",
      "simulated host: stand-ins for 21 devices, below the same ports",
    ]);
    expect(inner.notes).toEqual([
      "guest: 88 vCPUs -> 4, 1.8 TiB -> 384 MiB",
      "guest: host CPUs for QEMU's own threads and reserved ones are left out",
      "guest: left out: disks",
      "guest: the firmware is SeaBIOS, which starts sooner",
      "guest: the 64-bit window is the firmware's: stand-ins have small BARs",
    ]);
    expect(outer.plan.placement.cells.map(({ vcpus, distances }) => ({ vcpus, distances }))).toEqual([
      { vcpus: [0, 1], distances: [10, 21] },
      { vcpus: [2, 3], distances: [21, 10] },
    ]);
  });

  it("has stand-ins of the devices' kinds, and the guest reads the real ids", async () => {
    const { outer, inner } = await rehearse(hgx, { ...recordedHost("hgx-h200"), firmware });
    const kinds = outer.profile.standIns.map(({ id, device }) => `${id.replace(/\d+$/, "")} ${device}`);
    expect([...new Set(kinds)].sort()).toEqual([
      "gpu display",
      "nic network",
      "nvme nvme",
      "nvswitch accelerator",
    ]);
    const [gpu] = inner.profile.passthrough.devices;
    expect(gpu).toMatchObject({ id: "gpu0", identity: { vendor: "10de", device: "2335" } });
    expect(outer.profile.machine.viommu).toMatchObject({ interruptRemapping: true, cachingMode: true });
    expect(outer.profile.kernel?.cmdline).toContain("intel_iommu=on");
  });
});

it("every tree of a host comes out the same in a guest of the simulated one", async () => {
  await fc.assert(
    fc.asyncProperty(
      anyPciTree,
      fc.constantFrom("root-complex", "node"),
      async ({ pci, endpoints }, expanders) => {
        const host = hostWith(pci.map((fn, index) => ({ ...fn, iommuGroup: index, driver: "driver" })));
        const chosen = endpoints.slice(0, 24);
        const profile = {
          ...guest,
          pcie: { mirror: { expanders } },
          passthrough: { devices: chosen.map((address) => ({ address })) },
        };
        const { plan, inner, ids } = await rehearse(profile, host);
        expect(ids).toHaveLength(chosen.length);
        expect(comparePlans(plan.devices, inner.plan.devices, ids).filter(({ same }) => !same)).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});

const guest = {
  version: 1,
  name: "guest",
  machine: { accel: "kvm" },
  cpus: { boot: 4, model: "host" },
  memory: { size: "8G" },
  numa: {
    cells: [
      { cpus: "0-1", memory: "4G", hostNodes: "0", distances: [10, 21] },
      { cpus: "2-3", memory: "4G", hostNodes: "1", distances: [21, 10] },
    ],
  },
};

it("a card's functions stay functions of one slot, also those that came along", async () => {
  const profile = {
    ...guest,
    pcie: { mirror: true },
    passthrough: { group: "whole", devices: [{ address: "0000:01:00.0", clique: 3 }] },
  };
  const { plan, outer, inner, ids } = await rehearse(profile, hostWith(workstation));
  expect(ids.length).toBeGreaterThan(1);
  const places = ({ devices }: typeof plan) =>
    devices
      .filter(({ driver }) => driver === "vfio-pci")
      .map((device) => `${device.id} ${device.bus} ${device.function}`);
  expect(places(inner.plan)).toEqual(places(plan));
  expect(outer.profile.standIns.map((each) => each.function)).toEqual([0, 1, 2]);
});

it.each([
  { what: "entries", attach: "pci", annotated: [] },
  { what: "CDI files", attach: "pcie", annotated: ["01:00.1", "01:00.2", "03:02.0"] },
])(
  "what sits behind a bridge by $what does so there, and keeps its clique",
  async ({ attach, annotated }) => {
    const own = [{ address: "0000:01:00.0" }, { address: "0000:01:00.3" }];
    const profile = { ...guest, passthrough: { group: "whole", attach, devices: own } };
    const behind = annotated.map((address) => `0000:${address}`);
    const { plan, inner, ids } = await rehearse(profile, hostWith(workstation), {
      annotated: [
        { name: "a.b/c=0", address: "0000:01:00.0", path: ["passthrough", "cdi", 0], clique: 5 },
        ...behind.map((address) => ({
          name: `a.b/c=${address}`,
          address,
          path: ["passthrough", "cdi", 0],
          attach: "pci" as const,
        })),
      ],
    });
    const places = ({ devices }: typeof plan) =>
      devices.filter(({ driver }) => driver === "vfio-pci").map(({ id, bus }) => `${id} ${bus}`);
    expect(places(inner.plan)).toEqual(places(plan));
    expect(places(plan).filter((place) => place.endsWith("pci-bridge0")).length).toBeGreaterThan(1);
    expect(comparePlans(plan.devices, inner.plan.devices, ids).filter(({ same }) => !same)).toEqual([]);
    expect(inner.profile.passthrough.devices[0]).toMatchObject({ clique: 5 });
  },
);

describe("without devices", () => {
  it("has no IOMMU; nodes are counted from 0, and only those that the guest is on", async () => {
    const host = recordedHost("sparse");
    const [, second] = host.nodes.flatMap(({ id, cpus, memoryBytes }) =>
      cpus.length > 0 && memoryBytes > 0 ? id : [],
    );
    const cells = [{ cpus: "0-1", memory: "1G", hostNodes: `${second}` }];
    const profile = { ...guest, cpus: { boot: 2 }, memory: { size: "1G" }, numa: { cells } };
    const { outer, inner } = await rehearse(profile, host, { machine: recordedHost("hgx-h200") });
    expect(second).toBeGreaterThan(1);
    expect(outer.profile.machine.viommu).toBeUndefined();
    expect(outer.plan.placement.cells).toHaveLength(1);
    expect(inner.plan.placement.cells[0]?.hostNodes).toEqual([0]);
    expect(outer.notes.join("\n")).toContain(`1 of ${host.nodes.length} nodes`);
  });

  it("four nodes get a CPU each", async () => {
    const ol8 = JSON.parse(readFileSync(new URL("../../profiles/ol8-vnuma.json", import.meta.url), "utf8"));
    const { outer, inner } = await rehearse(ol8, recordedHost("ol8"));
    expect(outer.plan.placement.vcpus.map(({ cell }) => cell)).toEqual([0, 1, 2, 3]);
    expect(inner.plan.placement.vcpus.map(({ hostCpus }) => hostCpus)).toEqual([[0], [1], [2], [3]]);
    expect(inner.notes).toContain("guest: explicit pins are exchanged for automatic ones");
    expect(inner.notes).toContain("guest: the machine type is q35 instead of pc-q35-7.2");
  });

  it("more cells than CPUs share them, and it is said", async () => {
    const cells = [0, 1, 2, 3, 4, 5].map((cell) => ({
      cpus: `${cell}`,
      memory: "1G",
      hostNodes: `${cell % 2}`,
    }));
    const profile = { ...guest, cpus: { boot: 6, model: "host" }, memory: { size: "6G" }, numa: { cells } };
    const { inner } = await rehearse(profile, recordedHost("hgx-h200"));
    expect(inner.plan.placement.vcpus).toHaveLength(6);
    expect(inner.profile.pinning.overcommit).toBe(true);
    expect(inner.notes).toContain("guest: vCPUs share the few host CPUs");
  });

  it("threads of a core stay threads of a core, where each cell gets one", async () => {
    const profile = {
      ...guest,
      cpus: { boot: 8, model: "host", topology: { sockets: 2, cores: 2, threads: 2 } },
    };
    const cells = guest.numa.cells.map((cell, index) => ({ ...cell, cpus: index === 0 ? "0-3" : "4-7" }));
    const smt = recordedHost("ol8");
    const { outer, inner } = await rehearse({ ...profile, numa: { cells } }, smt);
    expect(outer.profile.cpus.topology).toEqual({ sockets: 2, dies: 1, cores: 1, threads: 2 });
    expect(inner.profile.cpus.topology).toEqual({ sockets: 2, dies: 1, cores: 1, threads: 2 });
    expect(inner.profile.pinning.overcommit).toBe(false);
  });

  it("a guest without cells gets the first node", async () => {
    const { numa: _, ...plain } = guest;
    const { outer, inner } = await rehearse(
      { ...plain, cpus: { boot: 64, model: "host" } },
      recordedHost("ol8"),
    );
    expect(outer.plan.placement.cells).toHaveLength(1);
    expect(inner.plan.placement.vcpus).toHaveLength(4);
    expect(inner.profile.numa).toBeUndefined();
  });
});
