import type { PlannedDevice } from "../../plan/types.ts";
import type { Bridge, PlannedTree } from "./controllers.ts";
import { type Element, element, textElement } from "./xml.ts";

/** The address of a PCI device of the plan; undefined for what is none. */
export function addressOf(tree: PlannedTree, id: string): Element | undefined {
  const device = tree.device(id);
  return device && pciAddress(tree, device);
}

function pciAddress(tree: PlannedTree, device: PlannedDevice): Element {
  return element("address", {
    type: "pci",
    domain: "0x0000",
    bus: hex(tree.busNumber(device), 2),
    slot: hex(device.slot, 2),
    function: hex(device.function, 1),
    multifunction: tree.isMultifunction(device) ? "on" : undefined,
  });
}

export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

/** libvirt keeps names of users behind "ua-", and takes no dots in them. */
export function aliasName(id: string): string {
  return `ua-${id.replaceAll(".", "_-")}`;
}

export function alias(id: string | undefined): Element | undefined {
  return id === undefined ? undefined : element("alias", { name: aliasName(id) });
}

/** The bridges of the tree as controllers. @see https://libvirt.org/pci-hotplug.html */
export function writeBridges(tree: PlannedTree, holeBytes: number | undefined): Element[] {
  const hole =
    holeBytes === undefined ? undefined : textElement("pcihole64", holeBytes / 1024, { unit: "KiB" });
  return [
    element("controller", { type: "pci", index: 0, model: "pcie-root" }, hole),
    ...tree.bridges.map((bridge) => writeBridge(tree, bridge)),
  ];
}

function writeBridge(tree: PlannedTree, bridge: Bridge): Element {
  const { device, model, index, name } = bridge;
  return element(
    "controller",
    { type: "pci", index, model },
    element("model", { name: device.driver }),
    targetOf(bridge),
    name === device.id ? alias(name) : undefined,
    pciAddress(tree, device),
  );
}

function targetOf({ device, model, properties }: Bridge): Element | undefined {
  if (model === "pcie-expander-bus") {
    const node = device.numaNode === undefined ? undefined : textElement("node", device.numaNode);
    return element("target", { busNr: device.busNr }, node);
  }
  const { chassis, port, hotplug } = properties;
  if (typeof chassis !== "number" || typeof port !== "number") return undefined;
  return element("target", { chassis, port: hex(port, 1), hotplug: hotplug === false ? "off" : "on" });
}

/** Properties that libvirt has no element for, with their types there. */
const overridden: Readonly<Record<string, "unsigned" | "string">> = {
  slot: "unsigned",
  "bus-reserve": "unsigned",
  "io-reserve": "unsigned",
  "mem-reserve": "unsigned",
  "pref64-reserve": "unsigned",
  "x-speed": "string",
  "x-width": "string",
  "x-nv-gpudirect-clique": "unsigned",
  "x-pci-vendor-id": "unsigned",
  "x-pci-device-id": "unsigned",
};

/**
 * What libvirt passes on to ports and devices of the host without knowing it.
 * @see https://libvirt.org/drvqemu.html (pass-through of device properties)
 */
export function writeOverrides(tree: PlannedTree, passedIds: readonly string[]): Element | undefined {
  const owners = [
    ...tree.bridges.map(({ device: { id }, name, index }) => ({
      id,
      alias: name === id ? aliasName(name) : `pci.${index}`,
    })),
    ...passedIds.map((id) => ({ id, alias: aliasName(id) })),
  ];
  const devices = owners.flatMap(({ id, alias: name }) => {
    const properties = Object.entries(tree.properties(id)).flatMap(([key, value]) => {
      const type = overridden[key];
      if (type === undefined || value === undefined) return [];
      return element("qemu:property", { name: key, type, value: String(value) });
    });
    if (properties.length === 0) return [];
    return element("qemu:device", { alias: name }, element("qemu:frontend", {}, ...properties));
  });
  return devices.length > 0 ? element("qemu:override", {}, ...devices) : undefined;
}
