import type { Host, HostCpu, HostNode } from "../src/host/index.ts";
import { emptyPools, type Facts } from "./host-from-text.ts";
import {
  type Added,
  type DrawnFunction,
  type DrawnRootBus,
  functionsOfTree,
  type PciModel,
} from "./pci-from-tree.ts";

/** What `lstopo` does not tell of a host. */
export interface AddedToLstopo extends Added, Pick<Host, "processor"> {
  readonly freeGiB: readonly number[];
  readonly distances: readonly (readonly number[])[];
}

/** A line of `lstopo --of console`, with the lines that are indented below it. */
interface Line {
  readonly text: string;
  readonly below: readonly Line[];
}

/**
 * A host from the text of `lstopo`. Bridges have no addresses there: a host bridge's bus is so many below the first
 * device's as there are bridges between them, and bridges on a bus are numbered in order.
 */
export function hostFromLstopo(
  text: string,
  models: Readonly<Record<string, PciModel>>,
  added: AddedToLstopo,
): Facts {
  const packages = withBelow(text.split("\n").filter(Boolean))
    .flatMap(({ below }) => below)
    .filter((line) => line.text.startsWith("Package"));
  const cpus = packages.flatMap((each, socket) => cpusOf(each, socket, nodeOf(each)));
  const nodes = packages.map((each, index): HostNode => {
    const id = nodeOf(each);
    return {
      id,
      cpus: cpus.flatMap((cpu) => (cpu.node === id ? [cpu.id] : [])),
      memoryBytes: Number(/ (\d+)GB\)/.exec(lineOf(each, "NUMANode"))?.[1]) * 2 ** 30,
      freeBytes: (added.freeGiB[index] ?? 0) * 2 ** 30,
      hugepages: emptyPools,
      distances: added.distances[index] ?? [],
    };
  });
  const roots = packages.flatMap((each) =>
    each.below.filter((line) => line.text === "HostBridge").map((line) => rootBusOf(line, nodeOf(each))),
  );
  return {
    version: 1,
    processor: added.processor,
    cpus: cpus.sort((a, b) => a.id - b.id),
    nodes,
    pci: functionsOfTree(roots, models, added),
    ...(added.iommu === undefined ? {} : { iommu: added.iommu }),
  };
}

function withBelow(lines: readonly string[]): Line[] {
  const depth = (line: string) => line.length - line.trimStart().length;
  const [first] = lines;
  if (first === undefined) return [];
  const end = lines.findIndex((line, index) => index > 0 && depth(line) <= depth(first));
  const own = lines.slice(1, end === -1 ? undefined : end);
  return [{ text: first.trim(), below: withBelow(own) }, ...(end === -1 ? [] : withBelow(lines.slice(end)))];
}

const lineOf = (line: Line, start: string) =>
  line.below.find(({ text }) => text.startsWith(start))?.text ?? "";
const nodeOf = (line: Line) => Number(/P#(\d+)/.exec(lineOf(line, "NUMANode"))?.[1]);

function cpusOf({ below }: Line, socket: number, node: number): HostCpu[] {
  const cores = below.flatMap((line) => (line.text.startsWith("L3") ? line.below : []));
  return cores.map(({ text }, core) => {
    const id = Number(/PU L#\d+ \(P#(\d+)\)/.exec(text)?.[1]);
    return { id, online: true, node, socket, die: 0, core, siblings: [id], isolated: false };
  });
}

function rootBusOf(bridge: Line, node: number): DrawnRootBus {
  const bus = busBelow(bridge);
  return { rootBus: `0000:${byte(bus)}`, node, functions: functionsOn(bus, bridge.below) };
}

/** The bus behind a bridge. */
function busBelow({ below }: Line): number {
  const buses = below.map((line) => {
    const bus = /^PCI ([0-9a-f]{2}):/.exec(line.text)?.[1];
    return bus === undefined ? busBelow(line) - 1 : Number.parseInt(bus, 16);
  });
  return Math.min(...buses);
}

/** Root ports count from device 1, as a host bridge has device 0; those of a switch from 0. */
function functionsOn(bus: number, lines: readonly Line[], isBelow = false): DrawnFunction[] {
  let bridges = isBelow ? 0 : 1;
  return lines.flatMap((line): DrawnFunction[] => {
    const [, place, model] = /^PCI ([0-9a-f:.]+) \((\w+)\)$/.exec(line.text) ?? [];
    if (place !== undefined && model !== undefined) return [{ address: `0000:${place}`, model, below: [] }];
    if (line.text !== "PCIBridge") return [];
    const address = `0000:${byte(bus)}:${byte(bridges++)}.0`;
    return [{ address, below: functionsOn(busBelow(line), line.below, true) }];
  });
}

const byte = (value: number) => value.toString(16).padStart(2, "0");
