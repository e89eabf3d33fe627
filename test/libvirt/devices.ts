import type { Facts } from "./facts.ts";
import type { Option } from "./options.ts";
import { Places } from "./places.ts";

/** What a device is by, on both command lines; numbered where several have one name. */
type Namer = (device: Option, back: BackEnds, places: Places) => string;

const bridges: Namer = (device, _, places) => `port ${places.of(device)}`;
const namers: Readonly<Record<string, Namer>> = {
  "pcie-root-port": bridges,
  "x3130-upstream": bridges,
  "xio3130-downstream": bridges,
  "pcie-pci-bridge": bridges,
  "pxb-pcie": ({ properties }) => `expander ${properties.get("bus_nr")}`,
  "vfio-pci": ({ properties }) => `host ${properties.get("host")}`,
  "isa-serial": ({ properties }) => `serial ${properties.get("index")}`,
  virtserialport: ({ properties }) => `channel ${properties.get("name")}`,
  virtconsole: () => "console",
};

/** Properties that name other options or a place, which are told by what is there. */
const references = [
  "id",
  "bus",
  "addr",
  "drive",
  "netdev",
  "chardev",
  "memdev",
  "rng",
  "fsdev",
  "tpmdev",
  "multifunction",
  "audiodev",
  "vhostfd",
  "fd",
  // A part of the place, and what QEMU chooses where nothing is said.
  "scsi-id",
  "lun",
  "channel",
];

/** Every device: where it is, what it is, and what is behind it. */
export function readDevices(options: readonly Option[], facts: Facts): void {
  const places = new Places(options);
  const back = new BackEnds(options);
  const seen = new Map<string, number>();
  const order: { name: string; index: number }[] = [];
  const devices = options.filter(({ name, head }) => name === "device" && !head.endsWith("-cpu"));
  for (const device of devices) {
    const { head, properties } = device;
    const plain = nameOf(device, back, places);
    const number = (seen.get(plain) ?? 0) + 1;
    seen.set(plain, number);
    const name = `device ${plain}${number > 1 ? ` (${number})` : ""}`;
    // On a port of its own a virtio device is modern anyway.
    facts.set(`${name}: is`, head.replace(/-non-transitional$/, ""));
    facts.set(`${name}: at`, placeOf(device, places));
    for (const [key, value] of properties) {
      if (key === "bootindex") order.push({ name: plain, index: Number(value) });
      else if (!references.includes(key))
        facts.set(`${name}: ${key}`, key === "masterbus" ? "its first" : value);
    }
    for (const [key, value] of back.of(device)) facts.set(`${name}: ${key}`, value);
  }
  facts.set(
    "boot order",
    order
      .sort((a, b) => a.index - b.index)
      .map(({ name }) => name)
      .join(", "),
  );
}

function nameOf(device: Option, back: BackEnds, places: Places): string {
  const { head, properties } = device;
  const namer = namers[head];
  if (namer) return namer(device, back, places);
  const file = back.of(device).get("file");
  if (properties.has("drive")) return `disk ${file ?? ""}`;
  if (/^(scsi|ide)-(cd|hd)$/.test(head)) return `drive ${placeOf(device, places)}`;
  if (properties.has("mac")) return `card ${properties.get("mac")}`;
  const tag = properties.get("mount_tag") ?? properties.get("tag");
  if (tag !== undefined) return `share ${tag}`;
  return familyOf(head);
}

/** Several models do the same. */
function familyOf(driver: string): string {
  if (/usb-(ehci|uhci)|xhci/.test(driver))
    return driver.includes("uhci") ? "USB companion" : "USB controller";
  if (/^(VGA|virtio-vga|qxl-vga|cirrus-vga|bochs-display|virtio-gpu-pci)$/.test(driver))
    return "graphics card";
  return driver.replace(/-pci$/, "");
}

function placeOf(device: Option, places: Places): string {
  const { properties } = device;
  const pci = places.of(device);
  if (pci !== undefined) return pci;
  const bus =
    properties.get("bus") ??
    (device.head === "virtconsole" ? places.firstOf("virtio-serial-pci") : undefined);
  if (bus === undefined) return "";
  const numbers = ["scsi-id", "lun"].flatMap((key) =>
    properties.has(key) ? `${key} ${properties.get(key)}` : [],
  );
  return [places.below(bus), ...numbers].join(" ");
}

/** Where on the network it is. */
function addressOf({ head, properties }: Option): string {
  const parts = ["server.host", "server.port", "export", "portal", "target"].flatMap(
    (key) => properties.get(key) ?? [],
  );
  return `${head} ${parts.join(" ")}`;
}

/** What devices name: the file behind a drive, the network behind a card, and so on. */
class BackEnds {
  private readonly byId = new Map<string, Option>();

  constructor(options: readonly Option[]) {
    for (const option of options) {
      const id = option.properties.get("id") ?? option.properties.get("node-name");
      if (id !== undefined && option.name !== "device") this.byId.set(`${option.name} ${id}`, option);
    }
  }

  of(device: Option): Map<string, string> {
    const facts = new Map<string, string>();
    const { properties } = device;
    const drive = properties.get("drive");
    if (drive !== undefined) this.readDrive(drive, facts);
    for (const [key, option] of [
      ["netdev", "netdev"],
      ["chardev", "chardev"],
      ["memdev", "object"],
      ["rng", "object"],
      ["fsdev", "fsdev"],
      ["tpmdev", "tpmdev"],
    ] as const) {
      const id = properties.get(key);
      const end = id === undefined ? undefined : this.byId.get(`${option} ${id}`);
      if (!end) continue;
      facts.set(`${key} is`, end.head);
      // What a program on the host is reached by is not the guest's.
      for (const [name, value] of key === "chardev" ? [] : end.properties) {
        if (["id", "chardev", "fd"].includes(name)) continue;
        facts.set(`${key} ${name}`, name === "security_model" && value === "mapped" ? "mapped-xattr" : value);
      }
    }
    const serial = properties.get("serial");
    if (/^scsi-/.test(device.head) && serial !== undefined && !properties.has("device_id"))
      facts.set("device_id", serial);
    return facts;
  }

  /** From the format node down to the file. Blocks are given back to the host where both nodes pass them on. */
  private readDrive(node: string, facts: Map<string, string>): void {
    const top = this.byId.get(`blockdev ${node}`);
    if (!top) return;
    if (top.head === "copy-on-read") {
      facts.set("copy-on-read", "on");
      this.readDrive(top.properties.get("file") ?? "", facts);
      return;
    }
    const format = top;
    const storage = this.byId.get(`blockdev ${format.properties.get("file")}`) ?? format;
    const passes = [format, storage].every(({ properties }) => properties.get("discard") === "unmap");
    facts.set("format", format.head);
    facts.set("storage", storage.head);
    facts.set("file", storage.properties.get("filename") ?? addressOf(storage));
    facts.set("read-only", format.properties.get("read-only") ?? "off");
    facts.set("discard", passes ? "unmap" : "ignore");
    facts.set("aio", storage.properties.get("aio") ?? "threads");
    for (const key of ["cache.direct", "cache.no-flush"]) facts.set(key, format.properties.get(key) ?? "off");
    const zeroes = format.properties.get("detect-zeroes");
    if (zeroes !== undefined) facts.set("detect-zeroes", zeroes);
    const backing = format.properties.get("backing");
    if (backing !== undefined && backing !== "null")
      facts.set("backing", this.byId.get(`blockdev ${backing}`)?.properties.get("file") ?? backing);
  }
}
