import type { Files } from "../system/index.ts";
import { interfacesOfDefaultRoutes, pciFunctionsOfInterface } from "./network-use.ts";
import { mountedBlockDevices, pciFunctionsOfBlockDevice, swapDevices } from "./storage-use.ts";
import type { PciFunction } from "./topology.ts";

/**
 * What this host needs functions for, by address: "the root file system and swap", "the default route". A network that
 * is merely up is no use: the NICs of a GPU server are up, and are what a guest is given. A physical function is needed
 * for what its virtual functions are.
 */
export function readHostUses(
  files: Files,
  functions: readonly Pick<PciFunction, "address" | "physicalFunction">[],
): ReadonlyMap<string, string> {
  const uses = new Map<string, string[]>();
  const physical = new Map(functions.map((each) => [each.address, each.physicalFunction]));
  const note = (addresses: readonly string[], use: string) => {
    const owners = addresses.flatMap((address) => physical.get(address) ?? []);
    for (const address of new Set([...addresses, ...owners])) {
      const known = uses.get(address) ?? [];
      if (!known.includes(use)) uses.set(address, [...known, use]);
    }
  };
  for (const { device, mountPoint } of mountedBlockDevices(files)) {
    const use = mountPoint === "/" ? "the root file system" : `the file system ${mountPoint}`;
    note(pciFunctionsOfBlockDevice(files, device), use);
  }
  for (const device of swapDevices(files)) note(pciFunctionsOfBlockDevice(files, device), "swap");
  for (const name of interfacesOfDefaultRoutes(files)) {
    note(pciFunctionsOfInterface(files, name), "the default route");
  }
  return new Map([...uses].map(([address, texts]) => [address, joined(texts)]));
}

function joined(texts: readonly string[]): string {
  return texts.length < 2 ? texts.join() : `${texts.slice(0, -1).join(", ")} and ${texts.at(-1)}`;
}
