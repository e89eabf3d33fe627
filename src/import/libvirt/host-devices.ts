import { formatPciAddress } from "../../units/index.ts";
import type { PciBuses } from "./addresses.ts";
import { aliasOf, type ImportContext, isOn, numberOf } from "./context.ts";
import type { Reading } from "./reading.ts";

type Entry = NonNullable<NonNullable<ImportContext["profile"]["passthrough"]>["devices"]>[number];

/** Devices of the host: hostdev, and interfaces that are one. */
export function readHostDevices(
  devices: Reading | undefined,
  { profile }: ImportContext,
  buses: PciBuses,
): void {
  const entries = (devices?.all("hostdev") ?? []).flatMap((each) => readHostDevice(each, buses) ?? []);
  if (entries.length > 0) profile.passthrough = { devices: entries };
}

function readHostDevice(each: Reading, buses: PciBuses): Entry | undefined {
  const mode = each.attribute("mode") ?? "subsystem";
  const type = each.attribute("type");
  if (mode !== "subsystem" || type !== "pci") {
    each.drop(`a device of the host of type ${type ?? mode}: PCI functions alone are given to guests`);
    return undefined;
  }
  // Bound before the start and given back after the end, as managed says; else the same.
  if (isOn(each.attribute("managed")) === false) {
    each.dropAttribute("managed", "the device is bound for the start and given back after the end");
  }
  const source = each.one("source")?.one("address");
  const host = source && hostAddress(source);
  if (host === undefined) {
    each.drop("no address of the host");
    return undefined;
  }
  each.one("source")?.attribute("writeFiltering");
  const driver = each.one("driver");
  driver?.attribute("name");
  const model = driver?.attribute("model");
  if (model !== undefined && model !== "vfio-pci")
    driver?.dropAttribute("model", "vfio-pci binds the device");
  if (isOn(driver?.attribute("iommufd")) === true)
    driver?.dropAttribute("iommufd", 'write "backend": "iommufd" in passthrough');
  const rom = each.one("rom");
  const bar = isOn(rom?.attribute("bar"));
  const enabled = isOn(rom?.attribute("enabled"));
  if (rom?.attribute("file") !== undefined) rom.dropAttribute("file", "the device's own ROM is shown");
  const id = aliasOf(each);
  each.one("boot")?.drop("the firmware finds what it can start from");
  each.one("teaming")?.drop("bond the interfaces in the guest");
  const bus = buses.busOf(each);
  return {
    address: host,
    ...(id === undefined ? {} : { id }),
    ...(bus === undefined ? {} : { bus }),
    ...(bar === false || enabled === false ? { rom: false } : {}),
  };
}

function hostAddress(source: Reading): string | undefined {
  const part = (name: string) => numberOf(source, name);
  source.attribute("type");
  const [bus, slot] = [part("bus"), part("slot")];
  if (bus === undefined || slot === undefined) return undefined;
  return formatPciAddress({ domain: part("domain") ?? 0, bus, slot, function: part("function") ?? 0 });
}
