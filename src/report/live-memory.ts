import type { LiveMemoryDevice, MemoryOutcome } from "../hotplug/index.ts";
import { describeByteSize, formatIdSet } from "../units/index.ts";
import { printable, type Style } from "./style.ts";
import { type Column, renderTable } from "./table.ts";

/** `qlaunch memory list`: a device a line. */
export function renderMemoryDevices(devices: readonly LiveMemoryDevice[], style: Style): string[] {
  if (devices.length === 0) return ["no memory device"];
  return renderTable(devices, columns, style);
}

const columns: Column<LiveMemoryDevice>[] = [
  { header: "id", value: ({ id }) => id },
  { header: "kind", value: ({ kind }) => kind },
  { header: "size", value: describeSize, align: "right" },
  { header: "cell", value: ({ cell }) => cell },
  { header: "slot", value: ({ slot }) => slot },
  { header: "address", value: ({ addressBytes }) => `0x${addressBytes.toString(16)}`, align: "right" },
  { header: "policy", value: ({ policy }) => policy },
  { header: "host nodes", value: ({ hostNodes }) => hostNodes && formatIdSet(hostNodes) },
  { header: "backend", value: ({ memdev }) => memdev },
];

/** Of a virtio-mem device also what the guest shall have, where that differs, and the most it can have. */
function describeSize({ sizeBytes, maxBytes, requestedBytes }: LiveMemoryDevice): string {
  const has = describeByteSize(sizeBytes);
  if (requestedBytes === undefined) return has;
  const wanted = requestedBytes === sizeBytes ? "" : ` (${describeByteSize(requestedBytes)} requested)`;
  return `${has}${wanted} of ${describeByteSize(maxBytes)}`;
}

export function renderMemoryAdded({
  name,
  id,
  device,
  guest,
  broughtOnline,
  operation,
}: MemoryOutcome): string[] {
  if (device === undefined) return [`${id} of ${name}: operation ${operation.id} is ${operation.state}`];
  const { kind, cell, policy, hostNodes } = device;
  const where =
    policy === undefined || policy === "default"
      ? "not bound"
      : `${policy} host node ${formatIdSet(hostNodes ?? [])}`;
  const lines = [
    printable(
      `${name} has ${id}: ${kind} of ${describeByteSize(device.maxBytes)} on cell ${cell ?? 0}, ${kind === "nvdimm" ? "in its file" : where}`,
    ),
  ];
  if (operation.state !== "done") return [...lines, `operation ${operation.id} is ${operation.state}`];
  if (kind === "nvdimm") return lines;
  return [...lines, ...guestLines(guest, broughtOnline)];
}

function guestLines(guest: MemoryOutcome["guest"], broughtOnline: boolean): string[] {
  if (guest !== undefined) {
    const { onlineBytes, offlineBytes } = guest;
    const rest = offlineBytes > 0 ? `, and has ${describeByteSize(offlineBytes)} offline` : "";
    return [`the guest runs ${describeByteSize(onlineBytes)}${rest}`];
  }
  return [
    broughtOnline ? "no guest agent answers: the guest brings it online itself" : byHand[0],
    ...byHand.slice(1),
  ];
}

const byHand = [
  "the guest brings new memory online itself; so that it can be taken out again, in the guest:",
  "  memhp_default_state=online_movable   (on its kernel's command line)",
  '  SUBSYSTEM=="memory", ACTION=="add", ATTR{state}=="offline", ATTR{state}="online_movable"   (or a udev rule)',
] as const;

export function renderMemoryResized({ name, id, device, operation }: MemoryOutcome): string[] {
  const has = device === undefined ? "gone" : describeSize(device);
  return [
    `${id} of ${name} has ${has}`,
    ...(operation.state === "done" ? [] : [`operation ${operation.id} is ${operation.state}`]),
  ];
}
