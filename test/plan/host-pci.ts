import fc from "fast-check";
import type { PciFunction } from "../../src/host/index.ts";

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
