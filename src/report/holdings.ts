import type { HeldMemory, Holding, Ledger } from "../host/ledger.ts";
import type { Host, HostNode } from "../host/topology.ts";
import { describeByteSize, formatIdSet, idDifference, idIntersection, idUnion } from "../units/index.ts";
import type { Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

interface Row {
  readonly node: string;
  readonly owner: string | undefined;
  readonly cpus: string;
  readonly memory: string;
  readonly devices: string;
}

/** Node by node what the running guests hold, and what nobody does. Empty where none runs. */
export function renderHoldings(host: Host, ledger: Ledger, style: Style): string[] {
  if (ledger.length === 0) return [];
  const rows = [...host.nodes.flatMap((node) => rowsOf(host, node, ledger)), ...unboundRows(ledger)];
  return renderTable(rows, columns, style);
}

const columns: Column<Row>[] = [
  { header: "node", value: ({ node }) => node, align: "right" },
  { header: "held by", value: ({ owner }) => owner, isWhole: true },
  { header: "own CPUs", value: ({ cpus }) => cpus },
  { header: "memory", value: ({ memory }) => memory },
  { header: "devices", value: ({ devices }) => devices },
];

function rowsOf(host: Host, node: HostNode, ledger: Ledger): Row[] {
  const held = ledger.flatMap((holding): Row[] => {
    const row = {
      node: String(node.id),
      owner: holding.vm,
      cpus: formatIdSet(idIntersection(node.cpus, holding.exclusiveCpus)),
      memory: memoryOf(holding, (nodes) => nodes?.includes(node.id) === true),
      devices: devicesOn(host, node, holding).join(" "),
    };
    return row.cpus + row.memory + row.devices === "" ? [] : [row];
  });
  const taken = idUnion(ledger.map(({ exclusiveCpus }) => exclusiveCpus));
  const left = formatIdSet(idDifference(node.cpus, taken));
  return [...held, { node: String(node.id), owner: undefined, cpus: left, memory: "", devices: "" }];
}

/** Memory that may be anywhere. */
function unboundRows(ledger: Ledger): Row[] {
  return ledger.flatMap((holding) => {
    const memory = memoryOf(holding, (nodes) => nodes === undefined);
    return memory === "" ? [] : [{ node: "any", owner: holding.vm, cpus: "", memory, devices: "" }];
  });
}

function memoryOf(
  { memory = [] }: Holding,
  isHere: (nodes: readonly number[] | undefined) => boolean,
): string {
  return memoryText(
    memory.filter(({ hostNodes }) => isHere(hostNodes)),
    "here",
  );
}

/**
 * Sizes by page size and nodes: "8 GiB + 4 x 1 GiB of nodes 0-1".
 * @param where "here" leaves a single node out, which the row names
 */
export function memoryText(memory: readonly HeldMemory[], where?: "here"): string {
  const sums = new Map<string, HeldMemory>();
  for (const held of memory.filter(({ bytes }) => bytes > 0)) {
    const key = `${held.pageSizeBytes} ${held.hostNodes?.join()}`;
    sums.set(key, { ...held, bytes: held.bytes + (sums.get(key)?.bytes ?? 0) });
  }
  return [...sums.values()]
    .map(({ bytes, pageSizeBytes, hostNodes }) => {
      const size =
        pageSizeBytes === 0
          ? describeByteSize(bytes)
          : `${bytes / pageSizeBytes} x ${describeByteSize(pageSizeBytes)}`;
      if (hostNodes === undefined || (hostNodes.length === 1 && where === "here")) return size;
      return `${size} of ${hostNodes.length === 1 ? "node" : "nodes"} ${formatIdSet(hostNodes)}`;
    })
    .join(" + ");
}

function devicesOn({ pci = [] }: Host, node: HostNode, { pciFunctions = [] }: Holding): string[] {
  return pciFunctions.filter((address) => pci.find((fn) => fn.address === address)?.node === node.id);
}
