import type { JsonPath } from "../errors/index.ts";
import type { TreeExpander, TreeNode, TreeRootPort, TreeSwitch } from "../profile/index.ts";
import type { Draft } from "./draft.ts";
import type { Bus, Buses } from "./pcie-bus.ts";
import type { Ports } from "./pcie-ports.ts";
import type { SlotFunction } from "./pcie-slots.ts";

/** An expander bus and its place on pcie.0. */
export interface PlantedExpander {
  readonly node: TreeExpander;
  readonly path: JsonPath;
  readonly place: SlotFunction;
  readonly because: readonly string[];
}

/** A tree that is not the profile's own: made for the devices of the host. */
export interface MadeTree {
  readonly nodes: readonly TreeNode[];
  /** Where the profile asks for it. */
  readonly path: JsonPath;
  readonly because: readonly string[];
}

/** Puts expander buses, root ports and switches in place, in their order; root ports and switches are in `ports`. */
export class TreePlanter {
  private readonly draft: Draft;
  private readonly buses: Buses;
  private readonly ports: Ports;
  private readonly planted: PlantedExpander[] = [];

  constructor(draft: Draft, buses: Buses, ports: Ports) {
    this.draft = draft;
    this.buses = buses;
    this.ports = ports;
  }

  get expanders(): readonly PlantedExpander[] {
    return this.planted;
  }

  /** The profile's tree, then what was made. */
  plant(made: MadeTree | undefined): void {
    this.plantNodes(this.draft.profile.pcie.tree, (index) => ["pcie", "tree", index], []);
    if (made) this.plantNodes(made.nodes, () => made.path, made.because);
  }

  /** The expander bus of a cell: the first that there is, or a new one. */
  expanderOf(cell: number, path: JsonPath): string {
    const known = this.planted.find(({ node }) => node.numaNode === cell);
    if (known) return known.node.expander;
    const expander = `pxb-cell${cell}`;
    this.plantNodes([{ expander, numaNode: cell, ports: [] }], () => path, []);
    return expander;
  }

  private plantNodes(
    nodes: readonly TreeNode[],
    pathOf: (index: number) => JsonPath,
    because: readonly string[],
  ): void {
    const board = this.buses.get("pcie.0");
    if (!board) return;
    const places = this.buses.placeAll(
      board,
      nodes.map((node, index) => ({
        owner: "expander" in node ? node.expander : node.rootPort,
        path: pathOf(index),
        addr: node.addr,
        how: "expander" in node ? "slot" : "pack",
      })),
    );
    for (const [index, node] of nodes.entries()) {
      const path = pathOf(index);
      const place = places[index];
      if (!place) continue;
      if ("expander" in node) this.plantExpander({ node, path, place, because });
      else this.plantRootPort(node, path, board, place, because);
    }
  }

  private plantExpander(expander: PlantedExpander): void {
    const { node, path } = expander;
    this.draft.claimId("device", node.expander, [...path, "expander"]);
    this.checkCell(node, path);
    this.draft.decide("pcie", `pcie.${node.expander}`, {
      value: `expander bus${node.numaNode === undefined ? "" : ` on cell ${node.numaNode}`}`,
      rule: "A bus of its own that belongs to a cell: the guest sees that node for every device below it.",
      source: "expander",
    });
    this.planted.push(expander);
    const bus = this.buses.addExpander(node.expander, node.numaNode);
    const portPath = (index: number) => [...path, "ports", index];
    const places = this.buses.placeAll(
      bus,
      node.ports.map((port, index) => ({
        owner: port.rootPort,
        path: portPath(index),
        addr: port.addr,
        how: "slot",
      })),
    );
    for (const [index, port] of node.ports.entries()) {
      const portPlace = places[index];
      if (portPlace) this.plantRootPort(port, portPath(index), bus, portPlace, expander.because);
    }
  }

  private plantRootPort(
    port: TreeRootPort,
    path: JsonPath,
    parent: Bus,
    place: SlotFunction,
    made: readonly string[],
  ): void {
    this.draft.claimId("device", port.rootPort, [...path, "rootPort"]);
    const because = [...pcieDecisions(parent), ...made];
    this.ports.addRootPort(port, path, { bus: parent.id, ...place }, because);
    this.plantBelow(port.rootPort, port.switch, path, parent);
  }

  /** What is below a port: its bus for a device, or a switch with ports of its own. */
  private plantBelow(port: string, node: TreeSwitch | undefined, portPath: JsonPath, parent: Bus): void {
    if (!node) {
      this.buses.addBelow(parent, port, "port", 1);
      return;
    }
    const { upstream, downstream } = node;
    const path = [...portPath, "switch"];
    const because = pcieDecisions(parent);
    this.buses.addBelow(parent, port, "upstream", 1);
    this.draft.claimId("device", upstream, [...path, "upstream"]);
    this.ports.addUpstream(node, path, port, because);
    const bus = this.buses.addBelow(parent, upstream, "upstream", 32);
    const downstreamPath = (index: number) => [...path, "downstream", index];
    const places = this.buses.placeAll(
      bus,
      downstream.map(({ port: owner, addr }, index) => ({
        owner,
        path: downstreamPath(index),
        addr,
        how: "slot",
      })),
    );
    for (const [index, below] of downstream.entries()) {
      const place = places[index];
      if (!place) continue;
      const belowPath = downstreamPath(index);
      this.draft.claimId("device", below.port, [...belowPath, "port"]);
      this.ports.addDownstream(below, belowPath, { bus: upstream, ...place }, because);
      this.plantBelow(below.port, below.switch, belowPath, parent);
    }
  }

  private checkCell(node: TreeExpander, path: JsonPath): void {
    const cells = this.draft.cells?.length ?? 0;
    if (node.numaNode === undefined || node.numaNode < cells) return;
    this.draft.refuse("PCIE_PLACEMENT", [...path, "numaNode"], {
      found: `${node.expander} on cell ${node.numaNode}, and the guest has ${cells === 0 ? "no NUMA cells" : `cells 0-${cells - 1}`}`,
      needed: "a cell of the guest",
      fix: cells === 0 ? "add numa.cells, or leave numaNode out" : "name one of the cells",
    });
  }
}

/** The decisions behind a port on this bus. */
export function pcieDecisions(bus: Bus): string[] {
  return bus.root === "pcie.0" ? ["pcie.ports"] : ["pcie.ports", `pcie.${bus.root}`];
}
