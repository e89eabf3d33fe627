import { type Diagnostic, failure, type Result, success } from "../errors/index.ts";
import { comparePciAddresses } from "../units/index.ts";
import { kindsByPlace } from "./pci-kinds.ts";
import { checkHost } from "./snapshot.ts";
import type { Host, HostCpu, HostNode, PciFunction } from "./topology.ts";
import { parseXml, type XmlElement } from "./xml.ts";

/** Servers have had at least so many since 2012; lstopo does not tell. */
const physicalAddressBits = 46;

/**
 * A host from `lstopo --of xml --whole-io` (hwloc 2 or 3). It tells no BARs, drivers, links and IOMMU groups: devices come
 * without the first three, and each counts as in a group of its own. All memory counts as free.
 * @returns the host with what was assumed as a warning, or why it is none
 * @see https://www.open-mpi.org/projects/hwloc/doc/v2.9.0/a00371.php
 */
export function readLstopoHost(text: string): Result<Host> {
  const root = parseXml(text);
  if (typeof root === "string") return failure([problem(`no XML that lstopo writes: ${root}`)]);
  const objects = objectsBelow(root);
  const cpus = cpusOf(objects);
  const nodes = nodesOf(objects, distancesOf(root));
  if (cpus.length === 0 || nodes.length === 0) return failure([problem("no CPU or no NUMA node")]);
  const placed = cpus.map((cpu) => ({
    ...cpu,
    node: nodes.find((node) => node.cpus.includes(cpu.id))?.id ?? -1,
  }));
  const info = (name: string) =>
    objects.flatMap(({ element }) => infoOf(element, name) ?? [])[0]?.replace(/\s+/g, " ") ?? "";
  const pci = functionsOf(objects);
  const checked = checkHost({
    version: 1,
    processor: { vendor: info("CPUVendor"), model: info("CPUModel"), physicalAddressBits },
    cpus: placed,
    nodes,
    kvm: { usable: false, reason: "not tried", untried: true },
    pci,
    iommu: { enabled: pci.length > 0, vfioPci: "available", iommufd: false },
  });
  if (!checked.ok) return checked;
  return success(checked.value, [assumed]);
}

/** What is missing, said with every snapshot that is made this way. */
const assumed: Diagnostic = {
  code: "HOST_SNAPSHOT",
  severity: "warning",
  path: [],
  found: "lstopo tells no BARs, links, drivers and IOMMU groups; each device counts as in a group of its own",
  needed: "all of them, before devices are passed through",
  fix: "make the snapshot on the host itself (`qlaunch host snapshot`), or add them by hand",
};

/** An object of hwloc with those above it, the nearest first. */
interface Placed {
  readonly element: XmlElement;
  readonly above: readonly XmlElement[];
}

function objectsBelow(element: XmlElement, above: readonly XmlElement[] = []): Placed[] {
  return element.children
    .filter(({ name }) => name === "object")
    .flatMap((child) => [{ element: child, above }, ...objectsBelow(child, [child, ...above])]);
}

const isType = (type: string) => (element: XmlElement) => element.attributes.type === type;
const numberOf = (element: XmlElement | undefined, name: string) => Number(element?.attributes[name] ?? 0);

function ofType(objects: readonly Placed[], type: string): readonly Placed[] {
  return objects.filter(({ element }) => isType(type)(element));
}

function infoOf(element: XmlElement, name: string): string | undefined {
  const found = element.children.find((each) => each.name === "info" && each.attributes.name === name);
  return found?.attributes.value;
}

function cpusOf(objects: readonly Placed[]): HostCpu[] {
  return ofType(objects, "PU")
    .map(({ element, above }): HostCpu => {
      const core = above.find(isType("Core"));
      const id = numberOf(element, "os_index");
      const siblings = core === undefined ? [] : core.children.filter(isType("PU"));
      return {
        id,
        online: true,
        node: -1,
        socket: numberOf(above.find(isType("Package")), "os_index"),
        die: numberOf(above.find(isType("Die")), "os_index"),
        core: core === undefined ? id : numberOf(core, "os_index"),
        siblings: siblings.length === 0 ? [id] : siblings.map((each) => numberOf(each, "os_index")),
        isolated: false,
      };
    })
    .sort((a, b) => a.id - b.id);
}

function nodesOf(objects: readonly Placed[], distances: readonly (readonly number[])[]): HostNode[] {
  const elements = ofType(objects, "NUMANode")
    .map(({ element }) => element)
    .sort((a, b) => numberOf(a, "os_index") - numberOf(b, "os_index"));
  const online = new Set(ofType(objects, "PU").map(({ element }) => numberOf(element, "os_index")));
  return elements.map((element, position) => {
    const pools = element.children
      .filter(({ name }) => name === "page_type")
      .map((pool) => ({ size: numberOf(pool, "size"), count: numberOf(pool, "count") }))
      .filter(({ size }) => size >= 2 ** 21)
      .map(({ size, count }) => ({ pageSizeBytes: size, total: count, free: count }));
    const memoryBytes = numberOf(element, "local_memory");
    const pooled = pools.reduce((sum, { pageSizeBytes, total }) => sum + pageSizeBytes * total, 0);
    return {
      id: numberOf(element, "os_index"),
      cpus: bitsOf(element.attributes.cpuset ?? "").filter((cpu) => online.has(cpu)),
      memoryBytes,
      freeBytes: Math.max(0, memoryBytes - pooled),
      hugepages: pools,
      distances:
        distances.length === elements.length
          ? (distances[position] ?? [])
          : elements.map((other) => (other === element ? 10 : 20)),
    };
  });
}

/** The matrix of the firmware, in the order of the nodes' ids. */
function distancesOf(root: XmlElement): number[][] {
  const table = root.children.find(
    ({ name, attributes }) =>
      name === "distances2" && attributes.type === "NUMANode" && attributes.name === "NUMALatency",
  );
  const numbers = (name: string) =>
    (table?.children ?? [])
      .filter((child) => child.name === name)
      .flatMap(({ text }) => text.trim().split(/\s+/).map(Number));
  const ids = numbers("indexes");
  const values = numbers("u64values");
  const order = ids.map((id, place) => ({ id, place })).sort((a, b) => a.id - b.id);
  return order.map(({ place: from }) => order.map(({ place: to }) => values[from * ids.length + to] ?? 20));
}

function functionsOf(objects: readonly Placed[]): PciFunction[] {
  const found = objects.flatMap(({ element, above }) => {
    const address = element.attributes.pci_busid;
    // "0604 [8086:2030] [8086:0000] 04 00": class, ids, subsystem, revision, and from hwloc 3 on the interface.
    const type = /^(\w{4}) \[(\w{4}):(\w{4})\] \[(\w{4}):(\w{4})\](?: \w{2})?(?: (\w{2}))?/.exec(
      element.attributes.pci_type ?? "",
    );
    const hostBridge = above.find((each) => each.attributes.bridge_type?.startsWith("0-"));
    const bus = /^([0-9a-f]{4,8}):\[([0-9a-f]{2})-/.exec(hostBridge?.attributes.bridge_pci ?? "");
    if (address === undefined || type === null || bus === null) return [];
    const [, digits = "", vendor = "", device = "", subVendor = "", subDevice = "", programming = "00"] =
      type;
    const [parent] = above.flatMap((each) => each.attributes.pci_busid ?? []);
    const nodes = bitsOf(
      above.find((each) => each.attributes.nodeset !== undefined)?.attributes.nodeset ?? "",
    );
    const hasSubsystem = subVendor !== "0000" || subDevice !== "0000";
    return [
      {
        address,
        rootBus: `${bus[1]}:${bus[2]}`,
        ...(parent === undefined ? {} : { parent }),
        class: `${digits}${programming}`,
        vendor,
        device,
        ...(hasSubsystem ? { subsystem: { vendor: subVendor, device: subDevice } } : {}),
        node: nodes.length === 1 ? (nodes[0] ?? -1) : -1,
        bars: [],
        isExpress: true,
      },
    ];
  });
  const kinds = kindsByPlace(found);
  return found
    .sort((a, b) => comparePciAddresses(a.address, b.address))
    .map(({ isExpress: _, ...each }, iommuGroup) => ({
      ...each,
      kind: kinds.get(each.address) ?? "endpoint",
      iommuGroup,
    }));
}

/** "0x00000001,,0x000000ff": words of 32 bits, the lowest last; an empty one is 0. */
function bitsOf(set: string): number[] {
  const words = set.split(",").reverse();
  return words.flatMap((word, place) => {
    const value = Number.parseInt(word, 16) || 0;
    return Array.from({ length: 32 }, (_, bit) => bit)
      .filter((bit) => Math.floor(value / 2 ** bit) % 2 === 1)
      .map((bit) => place * 32 + bit);
  });
}

function problem(found: string): Diagnostic {
  return {
    code: "HOST_SNAPSHOT",
    severity: "error",
    path: [],
    found,
    needed: "what `lstopo --of xml --whole-io` writes on the host, of hwloc 2 or newer",
    fix: "make it anew on the host",
  };
}
