import type { PlannedDevice } from "../plan/types.ts";
import type { GuestFunction } from "./report.ts";

/**
 * Finds planned devices among the guest's functions: by slot on a root bus, whose number is planned, and below a port
 * by the port, since the guest numbers the buses below ports itself.
 */
export class GuestDevices {
  readonly #planned: ReadonlyMap<string, PlannedDevice>;
  readonly #seen: ReadonlyMap<string, GuestFunction>;
  /** By parent and place: "0000:20:00.0 00.0". */
  readonly #below: ReadonlyMap<string, GuestFunction>;

  constructor(planned: readonly PlannedDevice[], seen: readonly GuestFunction[]) {
    this.#planned = new Map(planned.map((device) => [device.id, device]));
    this.#seen = new Map(seen.map((device) => [device.address, device]));
    this.#below = new Map(seen.map((device) => [`${device.parent} ${device.address.slice(-4)}`, device]));
  }

  find(device: PlannedDevice): GuestFunction | undefined {
    const place = `${hexByte(device.slot)}.${device.function}`;
    if (device.bus === "pcie.0") return this.#seen.get(`0000:00:${place}`);
    const above = this.#planned.get(device.bus);
    if (above?.busNr !== undefined) return this.#seen.get(`0000:${hexByte(above.busNr)}:${place}`);
    const port = above && this.find(above);
    return port && this.#below.get(`${port.address} ${place}`);
  }

  /** What hangs on a root bus: it shows in the guest by nothing else. */
  onRootBus(busNr: number): GuestFunction | undefined {
    const bus = rootBusAddress(busNr);
    return [...this.#seen.values()].find(({ address }) => address.startsWith(`${bus}:`));
  }
}

export function rootBusAddress(busNr: number): string {
  return `0000:${hexByte(busNr)}`;
}

const hexByte = (value: number) => value.toString(16).padStart(2, "0");
