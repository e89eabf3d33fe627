import { describe, expect, it } from "vitest";
import type { AnnotatedDevice } from "../../src/profile/index.ts";
import { hostWith, pciBridge, pciFunction, workstation } from "./host-pci.ts";
import { device, plan, problems, values } from "./planning.ts";

const path = ["passthrough", "cdi", 0];
const at = (address: string, more: Partial<AnnotatedDevice> = {}): AnnotatedDevice => ({
  name: `example.com/device=${address.slice(5)}`,
  address,
  path,
  ...more,
});

/** A GPU and the two ports of a NIC on a card, below one switch. */
const [gpu, nic, nic2] = ["0000:41:00.0", "0000:3d:00.0", "0000:3d:00.1"] as const;
const below = { rootBus: "0000:3a" };
const host = hostWith([
  pciBridge("0000:3a:00.0", below),
  pciBridge("0000:3b:00.0", { ...below, parent: "0000:3a:00.0", kind: "upstream-port" }),
  pciBridge("0000:3c:00.0", { ...below, parent: "0000:3b:00.0", kind: "downstream-port" }),
  pciBridge("0000:3c:01.0", { ...below, parent: "0000:3b:00.0", kind: "downstream-port" }),
  ...[nic, nic2].map((address, index) =>
    pciFunction(address, {
      ...below,
      parent: "0000:3c:00.0",
      class: "020000",
      vendor: "15b3",
      iommuGroup: 10 + index,
    }),
  ),
  pciFunction(gpu, { ...below, parent: "0000:3c:01.0", iommuGroup: 12 }),
]);
const kata = [
  at(gpu, { clique: 0 }),
  at(nic, { clique: 0, attach: "pci" }),
  at(nic2, { clique: 1, attach: "pci" }),
];
const world = (annotated: readonly AnnotatedDevice[]) => ({ host, annotated });

describe("devices of CDI files", () => {
  it("are passed through, GPUs with their clique and NICs without, and behind a bridge what says so", () => {
    const planned = plan({}, world(kata));
    expect(values(planned, "device").filter((value) => value.startsWith("vfio-pci"))).toEqual([
      expect.stringMatching(/^vfio-pci,id=gpu0,bus=rp-gpu0,.*host=0000:41:00.0,x-nv-gpudirect-clique=0$/),
      expect.stringMatching(/^vfio-pci,id=nic0,bus=pci-bridge0,.*host=0000:3d:00.0$/),
      expect.stringMatching(/^vfio-pci,id=nic1,bus=pci-bridge0,.*host=0000:3d:00.1$/),
    ]);
    expect(planned.run.passthrough.map(({ address, profilePath }) => [address, profilePath])).toEqual([
      [gpu, path],
      [nic, path],
      [nic2, path],
    ]);
  });

  it("say what an entry or selector of the profile leaves open, and no more", () => {
    const own = {
      devices: [
        { address: gpu, id: "card", clique: 3 },
        { select: { vendor: "15b3" }, attach: "pcie" },
      ],
    };
    const planned = plan({ passthrough: own }, world(kata));
    expect(device(planned, "card")).toContain("x-nv-gpudirect-clique=3");
    expect(device(planned, "nic1")).not.toContain("pci-bridge0");
    expect(planned.run.passthrough).toHaveLength(3);
    const open = { clique: "auto", devices: [{ address: gpu, id: "card" }] };
    expect(device(plan({ passthrough: open }, world(kata)), "card")).toContain("x-nv-gpudirect-clique=0");
    const none = { devices: [{ address: gpu, id: "card", clique: "none" }] };
    expect(device(plan({ passthrough: none }, world(kata)), "card")).not.toContain("clique");
  });

  it("are held to the rules of all others, told at the file's place with the device's name", () => {
    const annotated = [
      at("0000:02:00.0"),
      at("0000:00:06.0"),
      at("0000:77:00.0"),
      at("0000:02:00.0", { name: "a.b/c=d" }),
    ];
    expect(problems({}, { host: hostWith(workstation), annotated }).sort()).toEqual([
      "HOST_DEVICE_ABSENT passthrough.cdi[0]: CDI device example.com/device=77:00.0 at 0000:77:00.0, which this host does not have; a PCI device of this host",
      "HOST_DEVICE_KIND passthrough.cdi[0]: CDI device example.com/device=00:06.0 at 0000:00:06.0, which is a root port; a device: ports and bridges stay with the host",
      "HOST_DEVICE_NEEDED passthrough.cdi[0]: 0000:02:00.0, which has the root file system of this host; a device that the host can do without",
      "PASSTHROUGH_SELECTION passthrough.cdi[0]: CDI device a.b/c=d at 0000:02:00.0, where example.com/device=02:00.0 is as well; each device once",
    ]);
    const { pci: _, ...unknown } = host;
    expect(problems({}, { host: unknown, annotated: kata })).toEqual([
      ...Array(3).fill(
        "HOST_DEVICE_ABSENT passthrough.cdi[0]: a host of which no PCI devices are known; a host with its PCI devices",
      ),
    ]);
    expect(problems({ cpus: { boot: 2, features: { kvm: false } } }, world(kata))).toEqual([
      "PASSTHROUGH_CLIQUE passthrough.cdi[0]: a clique for 0000:41:00.0 in a guest that hides KVM; KVM's signature, without which the driver does not look for cliques",
    ]);
  });
});
