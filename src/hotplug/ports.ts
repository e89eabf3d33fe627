import { type Diagnostic, failure, type Result, success } from "../errors/index.ts";
import { isDownstream } from "../plan/pcie-switch.ts";
import type { Plan } from "../plan/types.ts";
import { closest } from "../units/index.ts";

/** A port that takes devices while the guest runs. */
export interface HotplugPort {
  readonly id: string;
  /** The cell that the guest sees for what sits there; undefined on pcie.0. */
  readonly cell: number | undefined;
  /** The plan has no device for it. */
  readonly spare: boolean;
  /** 64-bit window that the port kept for what comes. */
  readonly pref64Bytes: number;
}

/** The same, with what sits there now. */
export interface LivePort extends HotplugPort {
  readonly occupant: string | undefined;
}

/** Where a device shall go; nothing said is a spare port on pcie.0. */
export interface PortWish {
  /** A port by its id. */
  readonly bus: string | undefined;
  readonly cell: number | undefined;
  /** What the device's prefetchable BARs take; ports that kept as much come first. Default 0. */
  readonly pref64Bytes?: number;
}

/** The plan's ports that can be plugged into, in its order. Root buses and switches take nothing live. */
export function hotplugPorts({ devices, options }: Plan): HotplugPort[] {
  const fixed = new Set(
    options.flatMap((option) =>
      option.option === "device" && option.properties.hotplug === false ? [option.id] : [],
    ),
  );
  const used = new Set(devices.map(({ bus }) => bus));
  const kept = new Map(
    options.flatMap((option) =>
      option.option === "device"
        ? [[option.id, Number(option.properties["pref64-reserve"] ?? 0)] as const]
        : [],
    ),
  );
  return devices
    .filter(({ id, driver }) => (driver === "pcie-root-port" || isDownstream(driver)) && !fixed.has(id))
    .map(({ id, numaNode }) => ({
      id,
      cell: numaNode,
      spare: !used.has(id),
      pref64Bytes: kept.get(id) ?? 0,
    }));
}

/** The port for a device: the one named, one of the cell's, or one on pcie.0; those with room and spare ones first. */
export function choosePort(ports: readonly LivePort[], wish: PortWish): Result<LivePort> {
  if (wish.bus !== undefined) return named(ports, wish.bus, wish.cell);
  const alike = ports.filter(({ cell }) => cell === wish.cell);
  const free = alike.filter(({ occupant }) => occupant === undefined);
  const roomy = free.filter(({ pref64Bytes }) => pref64Bytes >= (wish.pref64Bytes ?? 0));
  const choice = [roomy, free].flatMap((some) => some.find(({ spare }) => spare) ?? some[0] ?? [])[0];
  if (choice !== undefined) return success(choice);
  const where = wish.cell === undefined ? "pcie.0" : `cell ${wish.cell}`;
  const others = ports.filter(({ occupant }) => occupant === undefined);
  return failure([
    problem({
      found:
        alike.length === 0
          ? `no hot-plug port on ${where}`
          : `no free hot-plug port on ${where}: ${list(alike)}`,
      needed: "a free port: root buses and switches take no devices while the guest runs",
      fix:
        others.length > 0
          ? `name a free port with --bus: ${others.map(describe).join(", ")}`
          : wish.cell === undefined
            ? "remove a device, or raise pcie.spareRootPorts in the profile and start the VM again"
            : `add a port to an expander bus of cell ${wish.cell} in pcie.tree, and start the VM again`,
    }),
  ]);
}

function named(ports: readonly LivePort[], bus: string, cell: number | undefined): Result<LivePort> {
  const port = ports.find(({ id }) => id === bus);
  const free = ports.filter(({ occupant }) => occupant === undefined);
  const freeText =
    free.length > 0 ? `one of ${free.map(describe).join(", ")}` : "a free hot-plug port: there is none";
  if (port === undefined) {
    const meant = closest(
      bus,
      ports.map(({ id }) => id),
    );
    return failure([
      problem({
        found: `"${bus}", which is no hot-plug port of this VM`,
        needed: freeText,
        fix: meant === undefined ? "name one of them, or leave --bus out" : `did you mean "${meant}"?`,
      }),
    ]);
  }
  if (port.occupant !== undefined) {
    return failure([
      problem({
        found: `port ${bus}, where ${port.occupant} sits`,
        needed: freeText,
        fix: "name another port, or leave --bus out",
      }),
    ]);
  }
  if (cell !== undefined && port.cell !== cell) {
    return failure([
      problem({
        found: `port ${bus}, which is on ${port.cell === undefined ? "no cell" : `cell ${port.cell}`}, for cell ${cell}`,
        needed: `a port of cell ${cell}`,
        fix: "leave --bus or --numa-cell out",
      }),
    ]);
  }
  return success(port);
}

const describe = ({ id, cell }: HotplugPort) => (cell === undefined ? id : `${id} (cell ${cell})`);
const list = (ports: readonly LivePort[]) =>
  ports.map(({ id, occupant }) => `${id} has ${occupant ?? "nothing"}`).join(", ");

function problem(text: Pick<Diagnostic, "found" | "needed" | "fix">): Diagnostic {
  return { code: "LIVE_PORT", severity: "error", path: [], ...text };
}
