import type { Host, HostNode } from "../host/topology.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import { describeIommu, renderPci } from "./pci.ts";
import { counted, printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/**
 * `qlaunch host show`: the processor, KVM and QEMU, the nodes with their CPUs and memory, the distances, the PCI devices.
 * @param held what `renderHoldings` says, between nodes and devices
 */
export function renderHost(host: Host, style: Style, held: readonly string[] = []): string[] {
  const online = host.cpus.filter((cpu) => cpu.online);
  const offline = host.cpus.filter((cpu) => !cpu.online).map(({ id }) => id);
  const isolated = host.cpus.filter((cpu) => cpu.isolated).map(({ id }) => id);
  const sockets = new Set(online.map(({ socket }) => socket)).size;
  const cores = new Set(online.map(({ siblings }) => siblings[0])).size;
  const { processor, share, kvm, qemu } = host;
  const facts: [label: string, value: string | undefined][] = [
    ["processor", `${processor.model}, ${processor.physicalAddressBits} physical address bits`],
    ["CPUs", `${online.length} online, ${counted(cores, "core")}, ${counted(sockets, "socket")}`],
    ["offline", offline.length > 0 ? formatIdSet(offline) : undefined],
    ["isolated", isolated.length > 0 ? formatIdSet(isolated) : undefined],
    [
      "share",
      share &&
        `CPUs ${formatIdSet(share.cpus)} and nodes ${formatIdSet(share.nodes)}, by the cpuset of this program's cgroup`,
    ],
    ["KVM", kvm.usable ? "usable" : `not usable: ${kvm.reason}`],
    ["QEMU", qemu === undefined ? "not found" : describeQemu(qemu)],
    ["IOMMU", describeIommu(host)],
  ];
  const present = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...present.map(([label]) => label.length));
  return [
    ...present.map(([label, value]) => `${style.colors.dim(label.padEnd(width))}  ${printable(value ?? "")}`),
    "",
    ...renderTable(host.nodes, nodeColumns, style),
    "",
    ...renderTable(host.nodes, distanceColumns(host.nodes), style),
    ...(held.length === 0 ? [] : ["", ...held]),
    ...(host.pci === undefined || host.pci.length === 0 ? [] : ["", ...renderPci(host.pci, style)]),
  ];
}

function describeQemu({ binary, version }: NonNullable<Host["qemu"]>): string {
  const { major, minor, micro } = version;
  const from = version.package === "" ? "" : `, ${version.package}`;
  return `${major}.${minor}.${micro} (${binary}${from})`;
}

const nodeColumns: Column<HostNode>[] = [
  { header: "node", value: ({ id }) => id },
  { header: "CPUs", value: ({ cpus }) => formatIdSet(cpus) },
  { header: "memory", value: ({ memoryBytes }) => describeByteSize(memoryBytes), align: "right" },
  { header: "free", value: ({ freeBytes }) => describeByteSize(freeBytes), align: "right" },
  { header: "huge pages, free of all", value: describeHugepages },
];

function describeHugepages({ hugepages }: HostNode): string {
  return hugepages
    .filter(({ total }) => total > 0)
    .map(({ pageSizeBytes, free, total }) => `${free} of ${total} x ${describeByteSize(pageSizeBytes)}`)
    .join(", ");
}

function distanceColumns(nodes: readonly HostNode[]): Column<HostNode>[] {
  return [
    { header: "distance", value: ({ id }) => id },
    ...nodes.map(
      (node, position): Column<HostNode> => ({
        header: String(node.id),
        value: ({ distances }) => distances[position],
      }),
    ),
  ];
}
