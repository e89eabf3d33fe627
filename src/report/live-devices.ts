import type { DeviceOutcome, LiveDevice, Operation } from "../hotplug/index.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** `qlaunch device list`: a device a line. */
export function renderDevices(devices: readonly LiveDevice[], style: Style): string[] {
  return renderTable(devices, columns, style);
}

const columns: Column<LiveDevice>[] = [
  { header: "id", value: ({ id }) => id },
  { header: "driver", value: ({ driver }) => driver },
  { header: "on", value: ({ bus }) => bus },
  { header: "cell", value: ({ cell }) => cell },
  { header: "since", value: ({ planned }) => (planned ? "start" : "later") },
];

export function renderDeviceAdded({ name, id, device, operation }: DeviceOutcome): string[] {
  if (device === undefined) return [`${id} of ${name}: operation ${operation.id} is ${operation.state}`];
  const cell = device.cell === undefined ? "" : `, cell ${device.cell}`;
  return [printable(`${name} has ${id}: ${device.driver} on ${device.bus ?? "no bus"}${cell}`)];
}

/** A device or memory that was to go. */
export function renderRemoved({
  name,
  id,
  operation,
}: {
  readonly name: string;
  readonly id: string;
  readonly operation: Operation;
}): string[] {
  if (operation.state === "done") return [`${name} has ${id} no more`];
  return [`${id} of ${name}: operation ${operation.id} is ${operation.state}`];
}
