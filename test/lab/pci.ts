import { existsSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";

const devices = "/sys/bus/pci/devices";
const text = (address: string, name: string) => readFileSync(`${devices}/${address}/${name}`, "utf8").trim();
const lastOf = (path: string) => path.split("/").at(-1) ?? "";

/** A PCI function of the simulated host, from its own sysfs: nothing of qlaunch's is asked. */
export interface HostFunction {
  readonly address: string;
  /** Vendor and device: "8086:10d3". */
  readonly ids: string;
  readonly class: string;
  readonly node: number;
  readonly group: number;
  readonly driver: string | undefined;
  /** The ports above, from the root bus down: "pci0000:e0", "0000:e0:00.0", ... */
  readonly above: readonly string[];
}

export function hostFunction(address: string): HostFunction {
  const path = realpathSync(`${devices}/${address}`).split("/");
  return {
    address,
    ids: `${text(address, "vendor").slice(2)}:${text(address, "device").slice(2)}`,
    class: text(address, "class").slice(2),
    node: Number(text(address, "numa_node")),
    group: Number(lastOf(readlinkSync(`${devices}/${address}/iommu_group`))),
    driver: driverOf(address),
    above: path.slice(
      path.findIndex((name) => name.startsWith("pci")),
      -1,
    ),
  };
}

export function driverOf(address: string): string | undefined {
  const link = `${devices}/${address}/driver`;
  return existsSync(link) ? lastOf(readlinkSync(link)) : undefined;
}

/** What driver_override says; the kernel writes "(null)" for nothing. */
export const overrideOf = (address: string) => text(address, "driver_override");

/** Those of an expander bus that are no bridges: the stand-ins, by address. */
export function standIns(): HostFunction[] {
  return readdirSync(devices)
    .filter((address) => !address.startsWith("0000:00:"))
    .map(hostFunction)
    .filter(({ class: kind, above }) => !kind.startsWith("0604") && above[0] !== "pci0000:00");
}

export const groupCount = () => readdirSync("/sys/kernel/iommu_groups").length;

/** Drivers and overrides of some functions, to see that they are as they were. */
export function bindings(addresses: readonly string[]): string[] {
  return addresses.map((address) => `${address} ${driverOf(address) ?? "none"} ${overrideOf(address)}`);
}
