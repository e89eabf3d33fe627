import { describeByteSize, formatIdSet } from "../units/index.ts";
import type { RecordedCell, VmDetail, VmSummary } from "../vm/types.ts";
import { describeDuration } from "./duration.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** `qlaunch ps`: one VM a line; below, what is wrong with some of them. */
export function renderVms(vms: readonly VmSummary[], style: Style): string[] {
  if (vms.length === 0) return ["no VM"];
  const columns: Column<VmSummary>[] = [
    { header: "name", value: ({ name }) => name },
    { header: "state", value: describeState },
    { header: "pid", value: ({ pid }) => pid },
    { header: "vCPUs", value: ({ vcpus }) => vcpus },
    { header: "memory", value: ({ memoryBytes }) => size(memoryBytes), align: "right" },
    { header: "in use", value: ({ residentBytes }) => size(residentBytes), align: "right" },
    {
      header: "up",
      value: ({ uptimeMs }) => (uptimeMs === undefined ? undefined : describeDuration(uptimeMs)),
      align: "right",
    },
  ];
  const problems = vms.flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name}: ${printable(problem)}`],
  );
  return [...renderTable(vms, columns, style), ...(problems.length > 0 ? ["", ...problems] : [])];
}

/** `qlaunch info`: a fact a line, then the cells. */
export function renderVm(vm: VmDetail, style: Style): string[] {
  const facts: [label: string, value: string | undefined][] = [
    ["name", vm.name],
    ["state", describeState(vm)],
    ["problem", vm.problem],
    ["uuid", vm.uuid],
    ["pid", vm.pid?.toString()],
    ["up", vm.uptimeMs === undefined ? undefined : describeDuration(vm.uptimeMs)],
    ["created", vm.createdMs === undefined ? undefined : new Date(vm.createdMs).toISOString()],
    ["program", vm.program],
    ["vCPUs", vm.vcpus?.toString()],
    ["memory", size(vm.memoryBytes)],
    ["in use", size(vm.residentBytes)],
    ["own CPUs", vm.exclusiveCpus.length > 0 ? formatIdSet(vm.exclusiveCpus) : undefined],
    ["devices", vm.pciFunctions.length > 0 ? vm.pciFunctions.join(", ") : undefined],
    ...(vm.pciTree?.problems ?? []).map((text): [string, string] => ["PCI", text]),
    ["directory", vm.directory],
    ["log", vm.logFile],
    ["monitor", vm.monitorSocket],
    ...vm.consoles.map(({ id, type, socket }): [string, string] => ["console", `${id} (${type}) ${socket}`]),
    ...vm.helpers.map(({ id, pid, running }): [string, string] => [
      "helper",
      `${id}, pid ${pid}${running ? "" : ", ended"}`,
    ]),
  ];
  const present = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...present.map(([label]) => label.length));
  return [
    ...present.map(([label, value]) => `${style.colors.dim(label.padEnd(width))}  ${printable(value ?? "")}`),
    ...(vm.cells.length > 0 ? ["", ...renderTable(vm.cells, cellColumns, style)] : []),
  ];
}

const cellColumns: Column<RecordedCell>[] = [
  { header: "cell", value: ({ id }) => id },
  { header: "memory", value: ({ memoryBytes }) => size(memoryBytes), align: "right" },
  { header: "pages", value: ({ pageSizeBytes }) => (pageSizeBytes === 0 ? "ordinary" : size(pageSizeBytes)) },
  { header: "host nodes", value: ({ hostNodes }) => hostNodes && formatIdSet(hostNodes) },
];

/** QEMU's own word is added where it says more. */
function describeState({ state, qemuState }: VmSummary): string {
  return qemuState === undefined || qemuState === state ? state : `${state} (${qemuState})`;
}

function size(bytes: number | undefined): string | undefined {
  return bytes === undefined ? undefined : describeByteSize(bytes);
}
