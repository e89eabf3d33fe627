import type { Profile, TreeNode, TreeRootPort, TreeSwitch } from "../../profile/index.ts";
import type { Bridge, PlannedTree } from "./controllers.ts";

/** The guest's PCI tree as a profile writes it out: every port with its place and its numbers. */
export function settledTree(tree: PlannedTree): TreeNode[] {
  return tree
    .below("pcie.0")
    .flatMap((bridge): { node: TreeNode; first: number }[] => {
      if (bridge.model === "pcie-root-port") return [{ node: rootPort(tree, bridge), first: bridge.index }];
      if (bridge.model !== "pcie-expander-bus") return [];
      const ports = tree.below(bridge.device.id);
      const { device, name } = bridge;
      const node = {
        expander: name,
        busNr: device.busNr,
        ...(device.numaNode === undefined ? {} : { numaNode: device.numaNode }),
        addr: addrOf(bridge),
        ports: ports.map((port) => rootPort(tree, port)),
      };
      return [{ node, first: Math.min(...ports.map(({ index }) => index)) }];
    })
    .sort((a, b) => a.first - b.first)
    .map(({ node }) => node);
}

function rootPort(tree: PlannedTree, bridge: Bridge): TreeRootPort {
  const { properties, device } = bridge;
  const below = switchBelow(tree, device.id);
  return {
    rootPort: bridge.name,
    ...portOptions(bridge),
    hotplug: properties.hotplug !== false,
    ...numbered("ioReserve", properties["io-reserve"]),
    ...numbered("memReserve", properties["mem-reserve"]),
    ...numbered("pref64Reserve", properties["pref64-reserve"]),
    ...numbered("busReserve", properties["bus-reserve"]),
    ...(below ? { switch: below } : {}),
  };
}

function switchBelow(tree: PlannedTree, port: string): TreeSwitch | undefined {
  const upstream = tree.below(port).find(({ model }) => model === "pcie-switch-upstream-port");
  if (!upstream) return undefined;
  return {
    upstream: upstream.name,
    ...linkOf(upstream),
    downstream: tree.below(upstream.device.id).map((bridge) => {
      const inner = switchBelow(tree, bridge.device.id);
      return {
        port: bridge.name,
        ...portOptions(bridge),
        hotplug: bridge.properties.hotplug !== false,
        ...(inner ? { switch: inner } : {}),
      };
    }),
  };
}

function portOptions(bridge: Bridge) {
  const { properties } = bridge;
  return {
    addr: addrOf(bridge),
    ...numbered("chassis", properties.chassis),
    ...numbered("slot", properties.slot),
    ...linkOf(bridge),
  };
}

type Link = Pick<TreeRootPort, "speed" | "width">;

function linkOf({ properties }: Bridge): Link {
  const [speed, width] = [properties["x-speed"], properties["x-width"]];
  return {
    ...(speed === undefined ? {} : { speed: speed as Link["speed"] }),
    ...(width === undefined ? {} : { width: Number(width) as Link["width"] }),
  };
}

function addrOf({ device: { slot, function: fn } }: Bridge): string {
  return `${slot.toString(16)}.${fn}`;
}

function numbered<Key extends string>(key: Key, value: unknown) {
  return (typeof value === "number" ? { [key]: value } : {}) as { [Name in Key]?: number };
}

/** The passed-through devices by address, each where the plan has it. */
export function settledPassthrough(
  { passthrough }: Profile,
  passed: readonly { readonly address: string; readonly deviceId: string | undefined }[],
  tree: PlannedTree,
): Profile["passthrough"] {
  const behindBridge = new Set(
    tree.bridges.flatMap(({ model, name }) => (model === "pcie-to-pci-bridge" ? name : [])),
  );
  const devices = passed.flatMap(({ address, deviceId }) => {
    if (deviceId === undefined) return [];
    const properties = tree.properties(deviceId);
    const bus = tree.busOf(deviceId);
    const clique = properties["x-nv-gpudirect-clique"];
    const [vendor, device] = [properties["x-pci-vendor-id"], properties["x-pci-device-id"]];
    const place = bus === undefined ? {} : behindBridge.has(bus) ? { attach: "pci" as const } : { bus };
    return {
      address,
      id: deviceId,
      ...place,
      ...(typeof clique === "number" ? { clique } : {}),
      rom: properties.rombar !== 0,
      ...(typeof vendor === "number" && typeof device === "number"
        ? { identity: { vendor: hexId(vendor), device: hexId(device) } }
        : {}),
    };
  });
  const isIommufd = devices.some(({ id }) => tree.properties(id).iommufd !== undefined);
  return {
    ...passthrough,
    devices,
    cdi: [],
    clique: "none",
    group: "strict",
    attach: "pcie",
    backend: isIommufd ? "iommufd" : "auto",
  };
}

function hexId(number: number): string {
  return number.toString(16).padStart(4, "0");
}
