import { bridgeDrivers } from "./pcie-switch.ts";
import type { Plan, PlannedDevice } from "./types.ts";

/**
 * The address that each device has in the guest, by its id: "0000:23:00.0". SeaBIOS and OVMF number buses alike: from
 * each root on, bridge by bridge in the order of slots and functions, all below one before its neighbour. What a port
 * reserves counts from its own bus on; OVMF heeds it on hot-plug ports alone.
 *
 * @see https://github.com/coreboot/seabios/blob/master/src/fw/pciinit.c (pci_bios_init_bus_rec)
 * @see https://github.com/tianocore/edk2/blob/master/MdeModulePkg/Bus/Pci/PciBusDxe/PciLib.c (PciScanBus)
 */
export function guestAddresses({
  devices,
  options,
}: Pick<Plan, "devices" | "options">): ReadonlyMap<string, string> {
  const isOvmf = options.some((option) => option.option === "drive" && option.properties.if === "pflash");
  const reserved = new Map(
    options.flatMap((option) => {
      if (option.option !== "device") return [];
      const { "bus-reserve": reserve, hotplug } = option.properties;
      const isHeeded = typeof reserve === "number" && !(isOvmf && hotplug === false);
      return isHeeded ? [[option.id, reserve] as const] : [];
    }),
  );
  const onBus = new Map<string, PlannedDevice[]>();
  for (const device of devices) onBus.set(device.bus, [...(onBus.get(device.bus) ?? []), device]);
  const addresses = new Map<string, string>();

  /** @returns the last bus number below */
  const number = (bus: string, busNr: number): number => {
    let last = busNr;
    const order = ({ slot, function: fn }: PlannedDevice) => slot * functionsOfSlot + fn;
    for (const device of [...(onBus.get(bus) ?? [])].sort((a, b) => order(a) - order(b))) {
      addresses.set(device.id, `0000:${hexByte(busNr)}:${hexByte(device.slot)}.${device.function}`);
      if (!bridgeDrivers.has(device.driver)) continue;
      const secondary = last + 1;
      last = Math.max(number(device.id, secondary), secondary + (reserved.get(device.id) ?? 0));
    }
    return last;
  };
  number("pcie.0", 0);
  for (const { id, busNr } of devices) if (busNr !== undefined) number(id, busNr);
  return addresses;
}

const functionsOfSlot = 8;

const hexByte = (value: number) => value.toString(16).padStart(2, "0");
