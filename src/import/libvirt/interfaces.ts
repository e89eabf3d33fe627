import type { BootDevice } from "./boot.ts";
import { aliasOf, type ImportContext, numberOf } from "./context.ts";
import { orderOf } from "./disks.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

type Network = NonNullable<ImportContext["profile"]["networks"]>[number];

/** Network interfaces: net0 and on, in the domain's order. */
export function readInterfaces(
  devices: Reading | undefined,
  { profile }: ImportContext,
  buses: PciBuses,
  order: readonly BootDevice[],
): void {
  const place = order.indexOf("network");
  profile.networks = (devices?.all("interface") ?? []).flatMap((each, index) => {
    const network = readInterface(each, `net${index}`, buses);
    if (!network) return [];
    const isFirst = index === 0 && place !== -1;
    return [network.boot === undefined && isFirst ? { ...network, boot: place + 1 } : network];
  });
}

function readInterface(each: Reading, id: string, buses: PciBuses): Network | undefined {
  // A device of the host, which is read with those.
  if (each.attribute("type") === "hostdev") return undefined;
  const end = endOf(each);
  if (!end) return undefined;
  const model = each.one("model")?.attribute("type") ?? "virtio";
  const isVirtio =
    model === "virtio" || model === "virtio-non-transitional" || model === "virtio-transitional";
  if (model === "virtio-transitional")
    each
      .one("model")
      ?.improve("the modern virtio card, which every guest of the last ten years has a driver for");
  if (!isVirtio && model !== "e1000e") {
    each.one("model")?.drop(`${model} becomes e1000e: another card, and another name in the guest`);
  }
  const mac = each.one("mac")?.attribute("address");
  each.one("mac")?.attribute("type");
  const driver = each.one("driver");
  const queues = driver && numberOf(driver, "queues");
  const name = driver?.attribute("name");
  for (const key of [
    "txmode",
    "ioeventfd",
    "event_idx",
    "rx_queue_size",
    "tx_queue_size",
    "rss",
    "rss_hash_report",
    "iommu",
    "ats",
    "packed",
    "page_per_vq",
  ]) {
    if (driver?.attribute(key) !== undefined) driver.dropAttribute(key, "QEMU's default is used");
  }
  const takesQueues = isVirtio && !end.user;
  if (queues !== undefined && queues > 1 && !takesQueues)
    driver?.dropAttribute("queues", "a virtio card on a tap device alone has several");
  if (name === "vhost" && end.user)
    driver?.dropAttribute("name", "QEMU's own network goes through QEMU: vhost has a tap device");
  const boot = each.one("boot");
  const bus = buses.busOf(each);
  ignored(each);
  return {
    id: aliasOf(each) ?? id,
    ...end,
    ...(isVirtio ? {} : { model: "e1000e" }),
    ...(mac === undefined ? {} : { mac }),
    ...(queues === undefined || queues === 1 || !takesQueues ? {} : { queues }),
    ...(name === "qemu" ? { vhost: false } : name === "vhost" && !end.user ? { vhost: true } : {}),
    ...(boot ? orderOf(boot) : {}),
    ...(bus === undefined ? {} : { bus }),
  };
}

/** What is behind it on the host. */
function endOf(each: Reading): Pick<Network, "user" | "tap" | "bridge"> | undefined {
  const type = each.attribute("type");
  const source = each.one("source");
  const target = each.one("target")?.attribute("dev");
  each.one("target")?.attribute("managed");
  switch (type) {
    case "bridge": {
      const bridge = source?.attribute("bridge");
      if (bridge !== undefined) return { bridge };
      each.drop("a bridge without a name: write which one it is");
      return undefined;
    }
    case "ethernet":
      if (target !== undefined) return { tap: target };
      each.drop("an interface without a name: make a tap device and name it as tap");
      return undefined;
    case "user":
      each.one("backend")?.attribute("type");
      return { user: {} };
    case "network": {
      const name = source?.attribute("network") ?? "";
      each.improve(
        `libvirt's network "${name}" is a bridge that libvirtd makes: QEMU's own network takes its place; write "bridge" for one that stays`,
      );
      source?.attribute("portgroup");
      return { user: {} };
    }
    default:
      each.drop(`an interface of type ${type}: make a tap device or a bridge and name it`);
      return undefined;
  }
}

function ignored(each: Reading): void {
  const notes = {
    bandwidth: "tc limits a tap device",
    mtu: "set the MTU of the bridge or the tap device",
    filterref: "nftables filters a bridge",
    virtualport: "Open vSwitch takes a tap device",
    vlan: "set the VLAN of the bridge's port",
    link: "the link is up",
    coalesce: "ethtool sets it on the tap device",
    port: "isolated ports are the bridge's",
    guest: "names in the guest are the guest's",
    backend: "QEMU's own back end",
    tune: "QEMU's default is used",
    rom: "the card's own boot ROM is used",
    ip: "addresses are the guest's",
    route: "routes are the guest's",
    script: "make the tap device beforehand",
    downscript: "take the tap device away yourself",
  };
  for (const [name, note] of Object.entries(notes)) for (const element of each.all(name)) element.drop(note);
  for (const key of ["managed", "trustGuestRxFilters"]) each.attribute(key);
}
