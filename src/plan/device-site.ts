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
}

/**
 * Where PCI devices go: the tree of a VM that is planned, or the free hot-plug ports of one that runs. The planners
 * of disks, networks and memory devices know no difference.
 */
export interface DeviceSite {
  /** Places a device and claims its id; refuses in the draft when there is no place. */
  place(request: DeviceRequest): void;
}
