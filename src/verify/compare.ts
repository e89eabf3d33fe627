import type { PlacedVcpu, Placement, Plan } from "../plan/types.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import { compareDevices } from "./compare-devices.ts";
import type { GuestNode, ProbeReport } from "./report.ts";
import { type Row, rowsOf } from "./row.ts";

/** Everything that was planned and can be seen from inside, cells first, then cores, then devices in the plan's order. */
export function compare(plan: Plan, report: ProbeReport): Row[] {
  const numbers = guestNumbers(plan.placement);
  return [
    ...compareCells(plan.placement, report, numbers),
    ...compareCores(plan.placement, report, numbers),
    ...compareDevices(plan, report),
  ];
}

/**
 * The guest's number of each vCPU that is there at the start: Linux counts those that are enabled first, in their order.
 * @see https://docs.kernel.org/admin-guide/cputopology.html
 */
function guestNumbers({ vcpus }: Placement): ReadonlyMap<number, number> {
  const booted = vcpus.filter(({ boot }) => boot);
  return new Map(booted.map(({ id }, rank) => [id, rank]));
}

function compareCells(
  { cells, memoryDevices }: Placement,
  { nodes }: ProbeReport,
  numbers: ReadonlyMap<number, number>,
): Row[] {
  return cells.flatMap((cell) => {
    const node = nodes.find(({ id }) => id === cell.id);
    const cpus = formatIdSet(cell.vcpus.flatMap((id) => numbers.get(id) ?? []));
    const distances = cell.distances?.join(" ");
    const row = rowsOf("cell", String(cell.id));
    const addedBytes = memoryDevices
      .filter((device) => device.cell === cell.id)
      .reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
    return [
      row("vCPUs", cpus, node && formatIdSet(node.cpuIds)),
      row("distances", distances, node?.distances.join(" ")),
      {
        ...row("memory", describeByteSize(cell.memoryBytes + addedBytes), node && memoryOf(node)),
        same: node !== undefined && memoryFits(cell.memoryBytes, addedBytes, node.memoryKiB * 1024),
      },
    ];
  });
}

const memoryOf = ({ memoryKiB }: GuestNode) => describeByteSize(memoryKiB * 1024);

const MiB = 2 ** 20;

/** The kernel keeps some of a node for itself before it counts: a few parts in a hundred, of a small node more. */
function memoryFits(plannedBytes: number, addedBytes: number, seenBytes: number): boolean {
  const keptBytes = Math.max(plannedBytes * 0.06, Math.min(plannedBytes * 0.3, 96 * MiB));
  return seenBytes <= plannedBytes + addedBytes && seenBytes >= plannedBytes - keptBytes;
}

/** The vCPUs of one core are siblings in the guest; only cores with several of them say anything. */
function compareCores(
  { vcpus }: Placement,
  { topology }: ProbeReport,
  numbers: ReadonlyMap<number, number>,
): Row[] {
  const siblings = new Map(topology.map((cpu) => [cpu.cpu, cpu.siblings]));
  const cores = new Map<string, PlacedVcpu[]>();
  for (const vcpu of vcpus) cores.set(coreOf(vcpu), [...(cores.get(coreOf(vcpu)) ?? []), vcpu]);
  return [...cores.values()].flatMap((threads) => {
    const ids = threads.flatMap(({ id }) => numbers.get(id) ?? []);
    if (threads.length < 2 || ids.length === 0) return [];
    const seen = [...new Set(ids.map((id) => siblings.get(id) ?? "absent"))];
    const row = rowsOf("core", formatIdSet(threads.map(({ id }) => id)));
    return [row("siblings", formatIdSet(ids), seen.join(" and "))];
  });
}

const coreOf = ({ socket, die, core }: PlacedVcpu) => `${socket} ${die} ${core}`;
