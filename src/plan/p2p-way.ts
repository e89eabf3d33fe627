import type { PciFunction } from "../host/topology.ts";

/** How two devices of the host lie to each other: functions of one device, below one switch, and so on outwards. */
export type P2pRelation = "device" | "switch" | "root-complex" | "node" | "across";

export interface P2pWay {
  readonly relation: P2pRelation;
  /**
   * Of a common switch: the downstream ports below it that the requests of the first and of the second come in by.
   * What these do with requests decides on the way.
   */
  readonly ports?: readonly [PciFunction | undefined, PciFunction | undefined];
}

/** The tree of the host's functions, for questions about pairs. */
export class HostTree {
  private readonly byAddress: ReadonlyMap<string, PciFunction>;
  private readonly nodes: number;
  private readonly ports = new Map<string, readonly PciFunction[]>();

  /** @param nodes how many the host has: with a single one, all devices are on it */
  constructor(pci: readonly PciFunction[], nodes: number) {
    this.byAddress = new Map(pci.map((fn) => [fn.address, fn]));
    this.nodes = nodes;
  }

  /** By the closest place that both are below. */
  wayBetween(first: PciFunction, second: PciFunction): P2pWay {
    if (first.rootBus !== second.rootBus) {
      const isNear = this.nodes === 1 || (first.node >= 0 && first.node === second.node);
      return { relation: isNear ? "node" : "across" };
    }
    if (slotOf(first.address) === slotOf(second.address)) return { relation: "device" };
    const [own, other] = [this.portsAbove(first), this.portsAbove(second)];
    const shared = own.findIndex((port) => other.includes(port));
    const common = own[shared];
    if (common?.kind !== "upstream-port") return { relation: "root-complex" };
    return { relation: "switch", ports: [own[shared - 1], other[other.indexOf(common) - 1]] };
  }

  /** Ports and bridges from the nearest to the root port. */
  private portsAbove(fn: PciFunction): readonly PciFunction[] {
    const known = this.ports.get(fn.address);
    if (known) return known;
    const found: PciFunction[] = [];
    let port = this.byAddress.get(fn.parent ?? "");
    while (port && !found.includes(port)) {
      found.push(port);
      port = this.byAddress.get(port.parent ?? "");
    }
    this.ports.set(fn.address, found);
    return found;
  }
}

/** "0000:19:00" of "0000:19:00.1". */
function slotOf(address: string): string {
  return address.slice(0, address.lastIndexOf("."));
}
