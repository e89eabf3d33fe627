import type { PlannedDevice } from "../plan/types.ts";

/** Where a device is planned. */
export type PlannedPlace = Pick<PlannedDevice, "id" | "bus" | "slot" | "function" | "busNr">;

/** A function as a kernel shows it: its address, and that of the bridge above or "root". */
export interface SeenFunction {
  readonly address: string;
  readonly parent: string;
}

/**
 * Finds planned devices among the guest's functions: by slot on a root bus, whose number is planned, and below a port
 * by the port, since the guest numbers the buses below ports itself.
 */
export class GuestDevices<F extends SeenFunction> {
  readonly #planned: ReadonlyMap<string, PlannedPlace>;
  readonly #seen: ReadonlyMap<string, F>;
  /** By parent and place: "0000:20:00.0 00.0". */
  readonly #below: ReadonlyMap<string, F>;

  constructor(planned: readonly PlannedPlace[], seen: readonly F[]) {
    this.#planned = new Map(planned.map((device) => [device.id, device]));
    this.#seen = new Map(seen.map((device) => [device.address, device]));
    this.#below = new Map(seen.map((device) => [`${device.parent} ${device.address.slice(-4)}`, device]));
  }

  find(device: PlannedPlace): F | undefined {
    const place = `${hexByte(device.slot)}.${device.function}`;
    if (device.bus === "pcie.0") return this.#seen.get(`0000:00:${place}`);
    const above = this.#planned.get(device.bus);
    if (above?.busNr !== undefined) return this.#seen.get(`0000:${hexByte(above.busNr)}:${place}`);
    const port = above && this.find(above);
    return port && this.#below.get(`${port.address} ${place}`);
  }

  /** What hangs on a root bus: it shows in the guest by nothing else. */
  onRootBus(busNr: number): F | undefined {
    const bus = rootBusAddress(busNr);
    return [...this.#seen.values()].find(({ address }) => address.startsWith(`${bus}:`));
  }
}

export function rootBusAddress(busNr: number): string {
  return `0000:${hexByte(busNr)}`;
}

const hexByte = (value: number) => value.toString(16).padStart(2, "0");
