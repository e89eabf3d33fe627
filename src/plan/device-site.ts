import type { JsonPath } from "../errors/index.ts";
import type { Properties } from "./options.ts";

/** A PCI device that wants a place. */
export interface DeviceRequest {
  readonly id: string;
  readonly driver: string;
  readonly properties: Properties;
  readonly because: readonly string[];
  /** Where in the profile it is. */
  readonly path: JsonPath;
  /** Port, expander bus or pcie.0; undefined gets a root port of its own on pcie.0. */
  readonly bus: string | undefined;
  /** Without a bus it sits on pcie.0 itself: conventional devices, and those of the board. */
  readonly integrated?: boolean;
  /** Without a bus: the cell that the guest shall see it on. */
  readonly cell?: number | undefined;
  /** Another function, 1 to 7, of the slot where a device sits that was placed before; bus and cell do not count. */
  readonly beside?: { readonly id: string; readonly function: number };
  /** Of a passed-through device: the address of the host's function. */
  readonly hostAddress?: string;
}

/**
 * Where PCI devices go: the tree of a VM that is planned, or the free hot-plug ports of one that runs. The planners
 * of disks, networks and memory devices know no difference.
 */
export interface DeviceSite {
  /** Places a device and claims its id; refuses in the draft when there is no place. */
  place(request: DeviceRequest): void;
}
