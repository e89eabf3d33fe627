import type { Plan } from "../../plan/types.ts";
import type { Filesystem, Network, Profile } from "../../profile/index.ts";
import type { PlannedTree } from "./controllers.ts";
import { writeDisks } from "./disks.ts";
import { writeMemoryDevice } from "./memory-devices.ts";
import { addressOf, alias, writeBridges } from "./places.ts";
import { writeDisplay, writeSmall } from "./small-devices.ts";
import { type Element, element, textElement } from "./xml.ts";

/** Devices with the addresses that the plan gives them; names of the profile travel as aliases. */
export function writeDevices(profile: Profile, plan: Plan, tree: PlannedTree): Element {
  const { mmio64 } = profile.pcie;
  const isUsb = profile.usb !== false;
  return element(
    "devices",
    {},
    plan.program.startsWith("/") ? textElement("emulator", plan.program) : undefined,
    ...writeDisks(profile, plan, tree),
    ...writeBridges(tree, mmio64 === "auto" ? undefined : mmio64),
    tree.device("vserial")
      ? element("controller", { type: "virtio-serial", index: 0 }, addressOf(tree, "vserial"))
      : undefined,
    isUsb
      ? element("controller", { type: "usb", index: 0, model: "qemu-xhci" }, addressOf(tree, "usb0"))
      : element("controller", { type: "usb", model: "none" }),
    ...profile.filesystems.map((each) => writeFilesystem(each, tree)),
    ...profile.networks.map((network) => writeInterface(network, tree)),
    ...profile.passthrough.devices.map((entry) => writeHostdev(entry, profile.passthrough.backend, tree)),
    ...writeConsoles(profile),
    ...writeDisplay(profile, tree),
    ...writeSmall(profile, tree),
    ...profile.memory.devices.map((device) => writeMemoryDevice(device, tree)),
  );
}

const accessModes = {
  "mapped-xattr": "mapped",
  "mapped-file": "mapped",
  passthrough: "passthrough",
  none: "squash",
} as const;

/** @see https://libvirt.org/formatdomain.html#filesystems */
function writeFilesystem(each: Filesystem, tree: PlannedTree): Element {
  const is9p = each.type === "9p";
  return element(
    "filesystem",
    {
      type: "mount",
      accessmode: is9p ? accessModes[each.securityModel] : "passthrough",
      multidevs: is9p ? "remap" : undefined,
    },
    element("driver", { type: is9p ? "path" : "virtiofs" }),
    element("source", { dir: each.path }),
    element("target", { dir: each.tag ?? each.id }),
    each.readOnly ? element("readonly") : undefined,
    alias(each.id),
    addressOf(tree, each.id),
  );
}

/** @see https://libvirt.org/formatdomain.html#network-interfaces */
function writeInterface(network: Network, tree: PlannedTree): Element {
  const { tap, bridge } = network;
  const isUser = network.user !== undefined;
  return element(
    "interface",
    { type: tap !== undefined ? "ethernet" : bridge !== undefined ? "bridge" : "user" },
    network.mac === undefined ? undefined : element("mac", { address: network.mac }),
    bridge === undefined ? undefined : element("source", { bridge }),
    tap === undefined ? undefined : element("target", { dev: tap, managed: "no" }),
    element("model", { type: network.model }),
    isUser
      ? undefined
      : element("driver", {
          name: network.vhost === true ? "vhost" : "qemu",
          queues: network.queues > 1 ? network.queues : undefined,
        }),
    network.boot === undefined ? undefined : element("boot", { order: network.boot }),
    alias(network.id),
    addressOf(tree, network.id),
  );
}

type Passed = Profile["passthrough"];

/** @see https://libvirt.org/formatdomain.html#usb-pci-scsi-devices */
function writeHostdev(entry: Passed["devices"][number], backend: Passed["backend"], tree: PlannedTree) {
  if (!("address" in entry)) return undefined;
  const [domain, bus, rest = "00.0"] = entry.address.split(":");
  const [slot, fn] = rest.split(".");
  return element(
    "hostdev",
    { mode: "subsystem", type: "pci", managed: "yes" },
    element("driver", { name: "vfio", iommufd: backend === "iommufd" ? "yes" : undefined }),
    element(
      "source",
      {},
      element("address", {
        domain: `0x${domain}`,
        bus: `0x${bus}`,
        slot: `0x${slot}`,
        function: `0x${fn}`,
      }),
    ),
    entry.rom ? undefined : element("rom", { bar: "off" }),
    alias(entry.id),
    entry.id === undefined ? undefined : addressOf(tree, entry.id),
  );
}

/** @see https://libvirt.org/formatdomain.html#consoles-serial-parallel-channel-devices */
function writeConsoles({ consoles, guestAgent }: Profile): Element[] {
  const isAgent = typeof guestAgent === "object" ? guestAgent.enabled : guestAgent;
  let serials = 0;
  const channel = (name: string | undefined, id?: string) =>
    element("channel", { type: "unix" }, element("target", { type: "virtio", name }), alias(id));
  return [
    ...consoles.map(({ type, name, id }) => {
      if (type === "channel") return channel(name, id);
      const target =
        type === "virtio"
          ? element("target", { type: "virtio" })
          : element(
              "target",
              { type: "isa-serial", port: serials++ },
              element("model", { name: "isa-serial" }),
            );
      return element(type === "virtio" ? "console" : "serial", { type: "pty" }, target, alias(id));
    }),
    ...(isAgent ? [channel("org.qemu.guest_agent.0")] : []),
  ];
}
