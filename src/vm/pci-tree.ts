import type { Plan } from "../plan/types.ts";
import type { PciDeviceInfo, PciInfo } from "../qmp/index.ts";
import { describeByteSize } from "../units/index.ts";

/** What the firmware made of the PCI tree. */
export interface PciTreeState {
  /** It has numbered the buses; before that there is nothing to tell. */
  readonly numbered: boolean;
  /** Bridges without a bus number, and hot-plug ports without a window: what sits there, or comes later, is not seen. */
  readonly deadBridges: readonly string[];
  /** Memory BARs without an address. */
  readonly unmappedBars: readonly UnmappedBar[];
  /** The same for people, a line each; nothing when all is well. */
  readonly problems: readonly string[];
}

interface UnmappedBar {
  readonly device: string;
  readonly bar: number;
  readonly sizeBytes: number;
}

/** The expansion ROM: firmware takes its address away again. */
const romBar = 6;

/**
 * Dead bridges and BARs without addresses, in QEMU's own view. I/O BARs may go without, and devices of the board
 * have no id.
 *
 * @param hotplugPorts ids of ports that take a device later
 * @see https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#command-QMP-pci.query-pci
 */
export function readPciTree(buses: readonly PciInfo[], hotplugPorts: ReadonlySet<string>): PciTreeState {
  const devices = buses
    .flatMap((bus) => bus.devices.flatMap(withBelow))
    .filter(({ qdev_id: id }) => id !== "");
  const bridges = devices.filter(({ pci_bridge: bridge }) => bridge !== undefined);
  const regions = devices.flatMap(({ qdev_id: device, regions: own }) =>
    own.flatMap(({ bar, type, address, size }) =>
      type === "memory" && bar !== romBar ? [{ device, bar, sizeBytes: size, address }] : [],
    ),
  );
  const numbered =
    bridges.length > 0
      ? bridges.some((device) => !isUnnumbered(device))
      : regions.length === 0 || regions.some(({ address }) => address !== -1);
  if (!numbered) {
    const problems = ["the firmware has not numbered the PCI buses yet"];
    return { numbered, deadBridges: [], unmappedBars: [], problems };
  }
  const deadBridges = bridges
    .filter((device) => isUnnumbered(device) || (hotplugPorts.has(device.qdev_id) && isClosed(device)))
    .map(({ qdev_id: id }) => id);
  const unmappedBars = regions.flatMap(({ address, ...bar }) => (address === -1 ? [bar] : []));
  return { numbered, deadBridges, unmappedBars, problems: describeProblems(deadBridges, unmappedBars) };
}

/** Ports of a plan that take a device while the guest runs. */
export function plannedHotplugPorts({ options }: Pick<Plan, "options">): ReadonlySet<string> {
  return new Set(
    options.flatMap((option) => {
      if (option.option !== "device" || option.id === undefined) return [];
      const isPort = option.properties.chassis !== undefined;
      return isPort && option.properties.hotplug !== false ? [option.id] : [];
    }),
  );
}

function describeProblems(deadBridges: readonly string[], unmappedBars: readonly UnmappedBar[]): string[] {
  const bars = unmappedBars.map(
    ({ device, bar, sizeBytes }) => `BAR ${bar} of ${device} (${describeByteSize(sizeBytes)})`,
  );
  return [
    ...(deadBridges.length > 0
      ? [`dead ports, below which the guest sees nothing: ${list(deadBridges)}`]
      : []),
    ...(bars.length > 0 ? [`without an address: ${list(bars)}`] : []),
  ];
}

function withBelow(device: PciDeviceInfo): PciDeviceInfo[] {
  return [device, ...(device.pci_bridge?.devices ?? []).flatMap(withBelow)];
}

function isUnnumbered({ pci_bridge: bridge }: PciDeviceInfo): boolean {
  return bridge?.bus.secondary === 0;
}

/** Neither memory window has an address. */
function isClosed({ pci_bridge: bridge }: PciDeviceInfo): boolean {
  const windows = bridge ? [bridge.bus.memory_range, bridge.bus.prefetchable_range] : [];
  return windows.every(({ base, limit }) => base > limit);
}

const listedAtMost = 5;

function list(words: readonly string[]): string {
  const more = words.length - listedAtMost;
  return `${words.slice(0, listedAtMost).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
