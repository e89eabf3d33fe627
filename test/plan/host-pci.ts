import fc from "fast-check";
import type { Host, PciFunction } from "../../src/host/index.ts";
import { recordedHost } from "./planning.ts";

/** A function of a host's PCIe tree as a test writes it; what it leaves out is a plain NVIDIA GPU's. */
export function pciFunction(address: string, given: Partial<PciFunction> = {}): PciFunction {
  return {
    address,
    rootBus: "0000:00",
    kind: "endpoint",
    class: "030200",
    vendor: "10de",
    device: "2335",
    node: 0,
    bars: [],
    ...given,
  };
}

/** Ports and bridges, whose ids and class no rule reads. */
export function pciBridge(address: string, given: Partial<PciFunction> = {}): PciFunction {
  return pciFunction(address, {
    kind: "root-port",
    class: "060400",
    vendor: "8086",
    device: "352a",
    driver: "pcieport",
    ...given,
  });
}

interface Tree {
  readonly pci: PciFunction[];
  readonly endpoints: string[];
}

/** What hangs below a port: one device of some functions, a switch, or a bridge to conventional PCI. */
type Below =
  | { readonly functions: number }
  | { readonly ports: readonly Below[] }
  | { readonly slots: number };

const { below } = fc.letrec<{ below: Below }>((tie) => ({
  below: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    fc.record({ functions: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ ports: fc.array(tie("below"), { minLength: 1, maxLength: 4 }) }),
    fc.record({ slots: fc.integer({ min: 1, max: 3 }) }),
  ),
}));

/** Hosts of one to four root complexes, with switches in switches, and every endpoint of each. */
export const anyPciTree: fc.Arbitrary<Tree> = fc
  .array(
    fc.record({
      node: fc.integer({ min: -1, max: 1 }),
      integrated: fc.integer({ min: 0, max: 2 }),
      ports: fc.array(below, { maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((roots) => {
    const grower = new Grower();
    for (const root of roots) grower.growRoot(root.node, root.integrated, root.ports);
    return {
      pci: grower.pci,
      endpoints: grower.pci.flatMap((fn) => (fn.kind === "endpoint" ? fn.address : [])),
    };
  });

class Grower {
  readonly pci: PciFunction[] = [];
  private bus = -1;
  private place = { rootBus: "", node: 0 };

  growRoot(node: number, integrated: number, ports: readonly Below[]): void {
    const bus = this.nextBus();
    this.place = { rootBus: bus, node };
    for (let slot = 0; slot < integrated; slot++)
      this.pci.push(pciFunction(`${bus}:${hex(slot)}.0`, this.place));
    for (const [index, port] of ports.entries()) {
      const address = `${bus}:${hex(integrated + index)}.0`;
      this.pci.push(pciBridge(address, this.place));
      this.grow(address, port);
    }
  }

  private grow(parent: string, node: Below): void {
    const bus = this.nextBus();
    const below = { ...this.place, parent };
    if ("functions" in node) {
      for (let fn = 0; fn < node.functions; fn++) this.pci.push(pciFunction(`${bus}:00.${fn}`, below));
    } else if ("slots" in node) {
      this.pci.push(pciBridge(`${bus}:00.0`, { ...below, kind: "bridge" }));
      const conventional = this.nextBus();
      for (let slot = 0; slot < node.slots; slot++) {
        const place = { ...this.place, parent: `${bus}:00.0` };
        this.pci.push(pciFunction(`${conventional}:${hex(slot)}.0`, place));
      }
    } else {
      const upstream = `${bus}:00.0`;
      this.pci.push(pciBridge(upstream, { ...below, kind: "upstream-port" }));
      const ports = this.nextBus();
      for (const [index, port] of node.ports.entries()) {
        const address = `${ports}:${hex(index)}.0`;
        this.pci.push(pciBridge(address, { ...this.place, parent: upstream, kind: "downstream-port" }));
        this.grow(address, port);
      }
    }
  }

  private nextBus(): string {
    this.bus++;
    return `${this.bus > 255 ? "0001" : "0000"}:${hex(this.bus % 256)}`;
  }
}

const hex = (value: number) => value.toString(16).padStart(2, "0");

/** The host of two nodes and QEMU 7.2, with these functions instead of its own. */
export function hostWith(pci: readonly PciFunction[], given: Partial<Host> = {}): Host {
  const iommu = { enabled: true, vfioPci: "loaded", iommufd: false } as const;
  return { ...recordedHost("hgx-h200"), iommu, ...given, pci };
}

/** A workstation: a GPU of four functions, one without a driver; the disk that it runs from; a NIC with virtual functions. */
export const workstation: readonly PciFunction[] = [
  pciBridge("0000:00:01.0", { iommuGroup: 1 }),
  pciFunction("0000:01:00.0", { parent: "0000:00:01.0", iommuGroup: 1, class: "030000", driver: "nvidia" }),
  pciFunction("0000:01:00.1", {
    parent: "0000:00:01.0",
    iommuGroup: 1,
    class: "040300",
    device: "1aef",
    driver: "snd_hda_intel",
  }),
  pciFunction("0000:01:00.2", {
    parent: "0000:00:01.0",
    iommuGroup: 1,
    class: "0c0330",
    device: "1ad6",
    driver: "xhci_hcd",
  }),
  pciFunction("0000:01:00.3", { parent: "0000:00:01.0", iommuGroup: 1, class: "0c8000", device: "1ad7" }),
  pciBridge("0000:00:06.0", { iommuGroup: 2 }),
  pciFunction("0000:02:00.0", {
    parent: "0000:00:06.0",
    iommuGroup: 3,
    class: "010802",
    vendor: "144d",
    device: "a80a",
    driver: "nvme",
    hostUse: "the root file system",
  }),
  pciBridge("0000:00:1c.0", { iommuGroup: 4, node: 1 }),
  pciFunction("0000:03:00.0", {
    parent: "0000:00:1c.0",
    node: 1,
    iommuGroup: 5,
    class: "020000",
    vendor: "8086",
    device: "1572",
    driver: "i40e",
    virtualFunctions: { now: 2, max: 64 },
  }),
  pciFunction("0000:03:02.0", {
    parent: "0000:00:1c.0",
    node: 1,
    iommuGroup: 6,
    class: "020000",
    vendor: "8086",
    device: "154c",
    driver: "iavf",
    physicalFunction: "0000:03:00.0",
  }),
  pciFunction("0000:00:1f.0", {
    iommuGroup: 7,
    class: "060100",
    vendor: "8086",
    device: "7a84",
    driver: "lpc_ich",
  }),
  pciFunction("0000:00:1f.3", {
    iommuGroup: 7,
    class: "040300",
    vendor: "8086",
    device: "7ad0",
    driver: "snd_hda_intel",
  }),
];
