import { describe, expect, it } from "vitest";
import type { Host, PciFunction } from "../../src/host/index.ts";
import { planP2p } from "../../src/plan/p2p.ts";
import { hostWith, pciBridge, pciFunction } from "./host-pci.ts";
import { device, plan, problems, recordedHost } from "./planning.ts";

/** Two switches of two GPUs each, the second behind another switch; a GPU of its own; a NIC beside the first two. */
const host = hostWith([
  ...switchWith("17", ["a0", "a1", "a2"]).map((fn) =>
    fn.address === "0000:a2:00.0" ? { ...fn, class: "020700", vendor: "15b3" } : fn,
  ),
  ...switchWith("27", ["b0", "b1"]),
  pciBridge("0000:37:01.0", { rootBus: "0000:37" }),
  pciFunction("0000:c0:00.0", { rootBus: "0000:37", parent: "0000:37:01.0", iommuGroup: 0xc0 }),
]);

function switchWith(root: string, buses: readonly string[]): PciFunction[] {
  const rootBus = `0000:${root}`;
  const port = `0000:${root}:01.0`;
  const top = `0000:${Number(root) + 1}:00.0`;
  return [
    pciBridge(port, { rootBus }),
    pciBridge(top, { rootBus, parent: port, kind: "upstream-port" }),
    ...buses.flatMap((bus, slot) => {
      const down = `0000:${Number(root) + 2}:0${slot}.0`;
      return [
        pciBridge(down, { rootBus, parent: top, kind: "downstream-port" }),
        pciFunction(`0000:${bus}:00.0`, { rootBus, parent: down, iommuGroup: Number.parseInt(bus, 16) }),
      ];
    }),
  ];
}

const recordedQemu = recordedHost("hgx-h200").qemu as NonNullable<Host["qemu"]>;
const all = ["a0", "a1", "a2", "b0", "b1", "c0"].map((bus) => ({ address: `0000:${bus}:00.0` }));
function cliques(passthrough: object, more: object = {}, world: { host: Host } = { host }) {
  const planned = plan({ passthrough: { devices: all, ...passthrough }, ...more }, world);
  return ["gpu0", "gpu1", "gpu2", "gpu3", "gpu4", "nic0"].map(
    (id) => /x-nv-gpudirect-clique=(\d+)/.exec(device(planned, id) ?? "")?.[1] ?? "-",
  );
}

describe("cliques", () => {
  it("are none unless the profile says so", () => {
    expect(cliques({})).toEqual(["-", "-", "-", "-", "-", "-"]);
  });

  it("auto: GPUs below one switch share one, in order; a GPU alone has none", () => {
    expect(cliques({ clique: "auto" })).toEqual(["0", "0", "1", "1", "-", "-"]);
    const [, ...fewer] = all;
    expect(cliques({ clique: "auto", devices: fewer })).toEqual(["-", "0", "0", "-", "-", "-"]);
  });

  it("auto: GPUs at ports of one root complex share one too, where the processor is known to send requests on", () => {
    const pci = [
      ...(host.pci ?? []),
      pciBridge("0000:37:02.0", { rootBus: "0000:37" }),
      pciFunction("0000:c1:00.0", { rootBus: "0000:37", parent: "0000:37:02.0", iommuGroup: 0xc1 }),
    ];
    const two = ["0000:c0:00.0", "0000:c1:00.0"].map((address) => ({ address }));
    const wish = { clique: "auto", devices: two };
    expect(cliques(wish, {}, { host: hostWith(pci) })).toEqual(["0", "0", "-", "-", "-", "-"]);
    const processor = {
      vendor: "GenuineIntel",
      model: "Intel(R) Core(TM) i7-8650U",
      physicalAddressBits: 39,
    };
    expect(cliques(wish, {}, { host: hostWith(pci, { processor }) })).toEqual(["-", "-", "-", "-", "-", "-"]);
  });

  it("auto has none where no memory can be mapped: with iommufd, or for BARs below a page", () => {
    const small = [{ index: 0, sizeBytes: 256, kind: "mem32", prefetchable: false }] as const;
    const pci = (host.pci ?? []).map((fn) => (fn.address === "0000:b0:00.0" ? { ...fn, bars: small } : fn));
    expect(cliques({ clique: "auto" }, {}, { host: hostWith(pci) })).toEqual(["0", "0", "-", "-", "-", "-"]);
    const iommufd = hostWith(host.pci ?? [], {
      iommu: { enabled: true, vfioPci: "loaded", iommufd: true },
      qemu: { ...recordedQemu, objects: [...recordedQemu.objects, "iommufd"] },
    });
    const planned = plan(
      { passthrough: { clique: "auto", backend: "iommufd", devices: all } },
      { host: iommufd },
    );
    expect(planned.decisions.find(({ id }) => id === "passthrough.clique")).toMatchObject({
      value: "none",
      facts: expect.arrayContaining(["iommufd maps no device memory before Linux 6.19 and QEMU 11"]),
    });
  });

  it("auto has none where BARs may lie beyond the addresses of the IOMMU", () => {
    const bars = [{ index: 0, sizeBytes: 2 ** 28, kind: "mem64", prefetchable: true }] as const;
    const pci = (host.pci ?? []).map((fn) => (fn.kind === "endpoint" ? { ...fn, bars } : fn));
    const narrow = hostWith(pci, {
      iommu: { enabled: true, vfioPci: "loaded", iommufd: false, addressBits: 39 },
    });
    const wish = { clique: "auto", devices: all };
    // Behind memory, SeaBIOS stays far below; OVMF may take the end of 46 bits.
    expect(cliques(wish, {}, { host: narrow })).toEqual(["0", "0", "1", "1", "-", "-"]);
    const ovmf = { machine: { accel: "kvm", firmware: { ovmf: {} } }, cpus: { boot: 2, model: "host" } };
    expect(cliques(wish, ovmf, { host: narrow })).toEqual(["-", "-", "-", "-", "-", "-"]);
    const planned = plan({ ...ovmf, passthrough: wish }, { host: narrow });
    expect(planned.decisions.find(({ id }) => id === "passthrough.clique")?.facts).toContain(
      "64-bit BARs may lie beyond the addresses of the IOMMU, which then cannot map them",
    );
    expect(planP2p(planned, narrow)[0]).toMatchObject({
      routes: ["none", "none"],
      reasons: [{ code: "beyond-iommu" }, { code: "beyond-iommu" }],
    });
  });

  it("auto leaves out the numbers that entries have, and entries that want none", () => {
    const devices = all.map((entry, index) =>
      index === 5 ? { ...entry, clique: 0 } : index === 3 ? { ...entry, clique: "none" } : entry,
    );
    expect(cliques({ clique: "auto", devices })).toEqual(["1", "1", "-", "-", "0", "-"]);
  });

  it("one number is for the GPUs alone", () => {
    expect(cliques({ clique: 7 })).toEqual(["7", "7", "7", "7", "7", "-"]);
  });

  it("auto has none where the guest hides KVM, and says why", () => {
    const cpus = { boot: 2, features: { kvm: false } };
    expect(cliques({ clique: "auto" }, { cpus })).toEqual(["-", "-", "-", "-", "-", "-"]);
    const { decisions } = plan({ cpus, passthrough: { clique: "auto", devices: all } }, { host });
    expect(decisions.find(({ id }) => id === "passthrough.clique")).toMatchObject({
      value: "none",
      facts: expect.arrayContaining(["the guest hides KVM, so that the driver does not look for cliques"]),
    });
  });
});

describe("a number", () => {
  const own = (entry: object) => ({ passthrough: { devices: [entry] } });

  it("goes to display devices of NVIDIA alone", () => {
    expect(problems(own({ address: "0000:a2:00.0", clique: 1 }), { host })).toEqual([
      "PASSTHROUGH_CLIQUE passthrough.devices[0].clique: a clique for 0000:a2:00.0, which is 15b3 of class 0207; a display device (class 03) of NVIDIA (10de): QEMU refuses it for others",
    ]);
  });

  it("goes by the vendor that the guest sees", () => {
    const stranger = { vendor: "1234", device: "1111" };
    expect(problems(own({ address: "0000:a0:00.0", clique: 1, identity: stranger }), { host })[0]).toContain(
      "which is 1234 of class 0302",
    );
    const gpu = { vendor: "10de", device: "2330" };
    const pci = (host.pci ?? []).map((fn) =>
      fn.address === "0000:a0:00.0" ? { ...fn, vendor: "1234" } : fn,
    );
    const planned = plan(own({ address: "0000:a0:00.0", clique: 3, identity: gpu }), { host: hostWith(pci) });
    expect(device(planned, "gpu0")).toContain(
      "x-pci-vendor-id=4318,x-pci-device-id=9008,x-nv-gpudirect-clique=3",
    );
  });

  it("is refused for a guest that hides KVM; one for all is told once", () => {
    const cpus = { boot: 2, features: { hypervisor: false } };
    expect(problems({ cpus, passthrough: { clique: 0, devices: all } }, { host })).toEqual([
      "PASSTHROUGH_CLIQUE passthrough.clique: a clique for 0000:a0:00.0 in a guest that hides KVM; KVM's signature, without which the driver does not look for cliques",
    ]);
  });
});
