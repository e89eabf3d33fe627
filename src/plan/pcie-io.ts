import type { Draft } from "./draft.ts";
import { isDownstream } from "./pcie-switch.ts";
import type { PlannedDevice } from "./types.ts";

interface PlacedPort {
  readonly id: string;
  readonly driver: string;
  readonly bus: string;
  readonly hotplug: boolean;
  /** What the profile says. */
  readonly ioReserve: number | undefined;
}

/** Drivers of QEMU's own, other than those of the board, with an I/O BAR. */
const driversWithIo: ReadonlySet<string> = new Set(["e1000e"]);

/**
 * A window has 4 KiB of the 64 KiB of ports. OVMF gives away 40 KiB, SeaBIOS 36, the board's own devices among it.
 * @see https://gitlab.com/qemu-project/qemu/-/blob/master/docs/pcie.txt
 */
const mostWindows = 8;

/**
 * Which ports get an I/O window: those above a device with an I/O BAR, as far as the space goes. Drivers of PCIe
 * devices do without, and a port that reserves none costs nothing.
 * @returns ids of ports
 */
export function planIoWindows(
  draft: Draft,
  ports: readonly PlacedPort[],
  endpoints: readonly PlannedDevice[],
): ReadonlySet<string> {
  const withIo = endpoints.filter(hasIo(draft));
  const above = new Map([...ports, ...endpoints].map(({ id, bus }) => [id, bus]));
  const portOf = new Map(ports.map((port) => [port.id, port]));
  // Conventional devices and functions of one slot share the window of their port.
  const chains = new Map<string, PlacedPort[]>();
  for (const { bus } of withIo) {
    const chain = portsAbove(bus, above, portOf);
    const lowest = chain[0]?.id;
    if (lowest !== undefined && chain.every(({ ioReserve }) => ioReserve !== 0)) chains.set(lowest, chain);
  }
  const lowest = [...chains.keys()];
  const open = lowest.slice(0, mostWindows).flatMap((id) => chains.get(id) ?? []);
  const windows = new Set(open.map(({ id }) => id));
  if (ports.length === 0) return windows;
  const rootPorts = ports.filter(({ driver }) => driver === "pcie-root-port");
  const downstream = ports.filter(({ driver }) => isDownstream(driver));
  const closed = rootPorts.filter(
    ({ id, ioReserve }) => (ioReserve ?? (windows.has(id) ? 1 : 0)) === 0,
  ).length;
  const fixed = downstream.filter(({ hotplug }) => !hotplug).length;
  const without = lowest.slice(mostWindows);
  draft.decide("pcie", "pcie.io", {
    value: `none for ${closed} of ${rootPorts.length} root ports${downstream.length > 0 ? `, hot-plug off on ${fixed} of ${downstream.length} downstream ports` : ""}`,
    rule: `Ports share 64 KiB of I/O space, 4 KiB each at least: a root port reserves none, unless a device below has an I/O BAR, ${mostWindows} of these at most. A downstream port cannot say so: one in use is not hot-pluggable, so that the firmware keeps nothing for it.`,
    facts: [
      ...withIo.map(({ id, bus }) => `${id} on ${bus} has an I/O BAR`),
      ...(without.length > 0
        ? [`no room for those below ${without.join(", ")}: they go without, as PCIe devices can`]
        : []),
    ],
    source: "pcie",
  });
  return windows;
}

function hasIo({ host }: Draft): (device: PlannedDevice) => boolean {
  const functions = new Set(
    (host.pci ?? [])
      .filter(({ bars }) => bars.some(({ kind }) => kind === "io"))
      .map(({ address }) => address),
  );
  return ({ driver, hostAddress }) =>
    hostAddress === undefined ? driversWithIo.has(driver) : functions.has(hostAddress);
}

/** The port whose bus this is, or that the bridge of this bus sits on, and those above it. */
function portsAbove(
  bus: string,
  above: ReadonlyMap<string, string>,
  portOf: ReadonlyMap<string, PlacedPort>,
): PlacedPort[] {
  const chain = new Set<PlacedPort>();
  for (let id: string | undefined = bus; id !== undefined; id = above.get(id)) {
    const port = portOf.get(id);
    // Two of one name, which is refused, could hang on each other.
    if (port && chain.has(port)) break;
    if (port) chain.add(port);
  }
  return [...chain];
}
