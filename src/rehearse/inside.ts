import { type QlaunchError, refusal } from "../errors/index.ts";
import type { PciFunction } from "../host/topology.ts";
import { GuestDevices, type Row } from "../verify/index.ts";
import type { Assignment } from "./job.ts";

/**
 * The guest's profile with the addresses that the stand-ins have on the simulated host. Its firmware gave the buses
 * their numbers, so they are known there only.
 * @throws QlaunchError REHEARSE_HOST
 */
export function placedProfile(
  { profile, devices, places }: Assignment,
  pci: readonly PciFunction[],
): { profile: object; addresses: ReadonlyMap<string, string> } {
  const seen = pci.map(({ address, parent }) => ({ address, parent: parent ?? "root" }));
  const guest = new GuestDevices(places, seen);
  const addresses = new Map<string, string>();
  for (const { standIn } of devices) {
    const place = places.find(({ id }) => id === standIn);
    const found = place && guest.find(place);
    if (found === undefined) throw lostStandIn(standIn);
    addresses.set(standIn, found.address);
  }
  const section = typeof profile.passthrough === "object" ? profile.passthrough : {};
  const entries = devices.map(({ standIn, entry }) => ({ address: addresses.get(standIn), ...entry }));
  return { profile: { ...profile, passthrough: { ...section, devices: entries } }, addresses };
}

function lostStandIn(id: string): QlaunchError {
  return refusal("REHEARSE_HOST", {
    found: `the simulated host does not see the stand-in of ${id}`,
    needed: "the PCIe tree that was planned for it",
    fix: "report it as a bug, with the profile and the snapshot",
  });
}

/** Whether each device is back with the driver that it had before the guest got it. */
export function compareDrivers(
  addresses: ReadonlyMap<string, string>,
  before: readonly PciFunction[],
  after: readonly PciFunction[],
): Row[] {
  const driverOf = (pci: readonly PciFunction[], address: string) =>
    pci.find((fn) => fn.address === address)?.driver ?? "none";
  return [...addresses].map(([id, address]) => {
    const planned = driverOf(before, address);
    const seen = driverOf(after, address);
    return { kind: "passed", what: id, fact: "given back to", planned, seen, same: planned === seen };
  });
}
