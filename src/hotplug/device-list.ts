import type { LiveVm } from "./live.ts";
import { hotplugPorts, type LivePort } from "./ports.ts";
import type { LiveMonitor } from "./recent-answers.ts";

/** A device or object of QEMU's, by id. */
export interface LiveThing {
  readonly id: string;
  /** "virtio-net-pci", "memory-backend-ram". */
  readonly type: string;
}

const peripheral = "/machine/peripheral";

/** Every device that has an id. */
export const readDevices = (qmp: LiveMonitor): Promise<LiveThing[]> => readChildren(qmp, peripheral);

/** Every object: memory backends, I/O threads and the like. */
export const readObjects = (qmp: LiveMonitor): Promise<LiveThing[]> => readChildren(qmp, "/objects");

async function readChildren(qmp: LiveMonitor, path: string): Promise<LiveThing[]> {
  const list = await qmp.execute("qom-list", { path });
  const children: LiveThing[] = [];
  for (const { name, type } of list) {
    if (type.startsWith("child<")) children.push({ id: name, type: type.slice("child<".length, -1) });
  }
  return children;
}

export async function readBlockNodes(qmp: LiveMonitor): Promise<Set<string>> {
  const nodes = await qmp.execute("query-named-block-nodes", { flat: true });
  return new Set(nodes.flatMap((node) => node["node-name"] ?? []));
}

/** Network back ends: QMP has no list of them, the monitor for people does. */
export async function readNetdevs(qmp: LiveMonitor): Promise<Set<string>> {
  const text = await qmp.execute("human-monitor-command", { "command-line": "info network" });
  const lines = text.matchAll(/^[\s\\]*([\w.-]+): index=\d+,type=(\w+)/gm);
  return new Set([...lines].flatMap(([, id, type]) => (id === undefined || type === "nic" ? [] : [id])));
}

/** A property of a device; undefined when it has none such. */
export async function readProperty(qmp: LiveMonitor, id: string, property: string): Promise<unknown> {
  try {
    return await qmp.execute("qom-get", { path: `${peripheral}/${id}`, property });
  } catch (error) {
    if (qmp.state === "running") return undefined;
    throw error;
  }
}

/** The device that a device's bus belongs to: "spare0" for what sits on that port, "scsi0" for a SCSI disk. */
export async function readParent(qmp: LiveMonitor, id: string): Promise<string | undefined> {
  const bus = await readProperty(qmp, id, "parent_bus");
  return typeof bus === "string" ? /^\/machine\/peripheral\/([^/]+)\//.exec(bus)?.[1] : undefined;
}

/** The plan's hot-plug ports that QEMU has, with what sits on each: with an id or without one. */
export async function readPorts({ qmp, plan }: LiveVm): Promise<LivePort[]> {
  const ports = hotplugPorts(plan);
  const occupants = await Promise.all(ports.map(({ id }) => readOccupant(qmp, id)));
  return ports.map((port, index) => ({ ...port, occupant: occupants[index] }));
}

/** A port's bus has its name. */
async function readOccupant(qmp: LiveMonitor, port: string): Promise<string | undefined> {
  const list = await qmp.execute("qom-list", { path: `${peripheral}/${port}/${port}` });
  const child = list.find(({ name }) => /^child\[\d+\]$/.test(name));
  if (child === undefined) return undefined;
  const path = await qmp.execute("qom-get", { path: `${peripheral}/${port}/${port}`, property: child.name });
  return String(path).split("/").at(-1);
}

/** Types of a driver's properties. */
export async function readPropertyTypes(qmp: LiveMonitor, driver: string): Promise<Map<string, string>> {
  const list = await qmp.execute("device-list-properties", { typename: driver });
  return new Map(list.map(({ name, type }) => [name, type]));
}
