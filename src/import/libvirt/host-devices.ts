import { formatPciAddress } from "../../units/index.ts";
import { aliasOf, type ImportContext, isOn, numberOf } from "./context.ts";
import { aliasIn } from "./overrides.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

type Entry = NonNullable<NonNullable<ImportContext["profile"]["passthrough"]>["devices"]>[number];

/** Devices of the host: hostdev, and interfaces that are one. */
export function readHostDevices(devices: Reading | undefined, context: ImportContext, buses: PciBuses): void {
  const cards = (devices?.all("interface") ?? []).filter((each) => each.attribute("type") === "hostdev");
  // libvirt numbers the cards first.
  const hostdevs = [...cards, ...(devices?.all("hostdev") ?? [])];
  const entries = hostdevs.flatMap(
    (each, index) => readHostDevice(each, aliasIn(each, `hostdev${index}`), context, buses) ?? [],
  );
  if (entries.length === 0) return;
  const drivers = hostdevs.flatMap((each) => each.one("driver") ?? []);
  const byIommufd = drivers.filter((driver) => isOn(driver.attribute("iommufd")) === true);
  const isIommufd = byIommufd.length === entries.length;
  if (!isIommufd) {
    for (const driver of byIommufd) {
      driver.dropAttribute("iommufd", 'one way for all devices: write "backend": "iommufd" in passthrough');
    }
  }
  context.profile.passthrough = { devices: entries, ...(isIommufd ? { backend: "iommufd" } : {}) };
}

function readHostDevice(
  each: Reading,
  alias: string,
  { overrides }: ImportContext,
  buses: PciBuses,
): Entry | undefined {
  const source = each.one("source")?.one("address");
  const isCard = each.node.name === "interface";
  const mode = each.attribute("mode") ?? "subsystem";
  const type = isCard ? (source?.attribute("type") ?? "pci") : each.attribute("type");
  if (mode !== "subsystem" || type !== "pci") {
    each.drop(`a device of the host of type ${type ?? mode}: PCI functions alone are given to guests`);
    return undefined;
  }
  // Bound before the start and given back after the end, as managed says; else the same.
  if (isOn(each.attribute("managed")) === false) {
    each.dropAttribute("managed", "the device is bound for the start and given back after the end");
  }
  const host = source && hostAddress(source);
  if (host === undefined) {
    each.drop("no address of the host");
    return undefined;
  }
  if (each.one("address")?.attribute("type") === "unassigned") {
    each.drop("the guest does not get it: bind it to vfio-pci yourself where its IOMMU group needs that");
    return undefined;
  }
  each.one("source")?.attribute("writeFiltering");
  if (isCard) tellCard(each);
  const driver = each.one("driver");
  driver?.attribute("name");
  const model = driver?.attribute("model");
  if (model !== undefined && model !== "vfio-pci")
    driver?.dropAttribute("model", "vfio-pci binds the device");
  const rom = each.one("rom");
  const bar = isOn(rom?.attribute("bar"));
  const enabled = isOn(rom?.attribute("enabled"));
  if (rom?.attribute("file") !== undefined) rom.dropAttribute("file", "the device's own ROM is shown");
  const id = aliasOf(each);
  each.one("boot")?.drop("the firmware finds what it can start from");
  each.one("teaming")?.drop("bond the interfaces in the guest");
  const clique = overrides.number(alias, "x-nv-gpudirect-clique");
  const [vendor, device] = ["x-pci-vendor-id", "x-pci-device-id"].map((name) =>
    overrides.number(alias, name),
  );
  return {
    address: host,
    ...(id === undefined ? {} : { id }),
    ...buses.placeOf(each, host),
    ...(clique === undefined ? {} : { clique }),
    ...(bar === false || enabled === false ? { rom: false } : {}),
    ...(vendor === undefined || device === undefined
      ? {}
      : { identity: { vendor: hexId(vendor), device: hexId(device) } }),
  };
}

/** What libvirt sets on the physical function before it gives the virtual one away. */
function tellCard(card: Reading): void {
  const notes = {
    mac: `${card.one("mac")?.attribute("address")}: "ip link set PORT vf NUMBER mac ADDRESS" sets it on the host`,
    vlan: '"ip link set PORT vf NUMBER vlan ID" sets it on the host',
    virtualport: "the switch is told on the host",
    bandwidth: '"ip link set PORT vf NUMBER max_tx_rate MBIT" sets it on the host',
  };
  for (const [name, note] of Object.entries(notes)) card.one(name)?.drop(note);
}

function hexId(number: number): string {
  return number.toString(16).padStart(4, "0");
}

function hostAddress(source: Reading): string | undefined {
  const part = (name: string) => numberOf(source, name);
  source.attribute("type");
  const [bus, slot] = [part("bus"), part("slot")];
  if (bus === undefined || slot === undefined) return undefined;
  return formatPciAddress({ domain: part("domain") ?? 0, bus, slot, function: part("function") ?? 0 });
}
