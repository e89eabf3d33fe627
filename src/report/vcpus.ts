import type { HostNode } from "../host/topology.ts";
import { formatIdSet } from "../units/index.ts";
import type { VcpuThread } from "../vm/types.ts";
import { affinityLegend, affinityMap } from "./affinity-map.ts";
import { describeDuration } from "./duration.ts";
import type { Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** The vCPUs of a running VM: their threads, where these may run, and the map of it. */
export function renderVcpus(
  threads: readonly VcpuThread[],
  nodes: readonly HostNode[],
  style: Style,
): string[] {
  const columns: Column<VcpuThread>[] = [
    { header: "vCPU", value: ({ vcpu }) => vcpu },
    { header: "cell", value: ({ cell }) => cell },
    { header: "thread", value: ({ threadId }) => threadId },
    { header: "host CPU", value: ({ lastCpu }) => lastCpu },
    { header: "node", value: ({ lastNode }) => lastNode },
    { header: "time", value: ({ cpuTimeMs }) => describeDuration(cpuTimeMs), align: "right" },
    { header: "planned", value: ({ plannedCpus }) => plannedCpus && formatIdSet(plannedCpus) },
    { header: "allowed", value: ({ allowedCpus }) => formatIdSet(allowedCpus) },
    { header: "affinity", value: ({ allowedCpus }) => affinityMap(allowedCpus, nodes) },
  ];
  // Half a map says nothing, so lines may be longer than the terminal is wide.
  return [...renderTable(threads, columns, { ...style, columns: undefined }), "", ...affinityLegend(nodes)];
}
