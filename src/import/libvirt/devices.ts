import { readConsoles } from "./consoles.ts";
import { type ImportContext, isOn, numberOf } from "./context.ts";
import { readFilesystems } from "./filesystems.ts";
import { readMemoryDevices } from "./memory-devices.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

/** Everything beside PCI bridges, disks, network interfaces and devices of the host. */
export function readOtherDevices(
  devices: Reading | undefined,
  context: ImportContext,
  buses: PciBuses,
): void {
  const { profile } = context;
  const emulator = devices?.one("emulator");
  emulator?.improve(`${emulator.text() ?? "QEMU"}: the QEMU in PATH is taken, or $QLAUNCH_QEMU, or --qemu`);
  readControllers(devices, profile, buses);
  readConsoles(devices, profile);
  readInput(devices, profile);
  readGraphics(devices, profile);
  readSmall(devices, profile, buses);
  readMemoryDevices(devices, profile, buses);
  readFilesystems(devices, profile, buses);
  readIommu(devices, profile);
}

type ProfileDraft = ImportContext["profile"];

function readControllers(devices: Reading | undefined, profile: ProfileDraft, buses: PciBuses): void {
  for (const controller of devices?.all("controller") ?? []) {
    const type = controller.attribute("type");
    if (type === "pci") continue;
    const model = controller.attribute("model");
    // The board has them, or the planner makes them for what needs them.
    if (type === "virtio-serial") readVirtioSerial(controller, buses);
    if (type === "sata" || type === "virtio-serial" || type === "nvme") controller.keep();
    else if (type === "scsi" && (model ?? "virtio-scsi").startsWith("virtio")) continue;
    else if (type === "usb" && model !== "none") {
      const bus = buses.busOf(controller);
      profile.usb = bus === undefined ? true : { bus };
      const ports = controller.attribute("ports");
      if (ports !== undefined)
        controller.improve(`four ports of each speed instead of ${ports}: one tablet is all that comes`);
      if (model === "qemu-xhci" || model === "nec-xhci" || model === undefined) controller.keep();
      else controller.replace(`${model} becomes one USB 3 controller`);
    } else if (type === "usb" || type === "fdc" || type === "ide") controller.keep();
    else
      controller.drop(
        `a controller of type ${type}${model === undefined ? "" : `, ${model}`}: virtio-scsi and SATA alone`,
      );
  }
}

/** One controller carries all ports. */
function readVirtioSerial(controller: Reading, buses: PciBuses): void {
  const driver = controller.one("driver");
  for (const name of driver?.node.attributes.keys() ?? [])
    driver?.dropAttribute(name, "QEMU's default is used");
  modernAlone(controller, controller.attribute("model"));
  if ((numberOf(controller, "index") ?? 0) !== 0) {
    controller.replace("consoles and channels of every controller are on the first one");
    return;
  }
  buses.keepFor(controller, "vserial");
  const ports = controller.attribute("ports");
  if (ports !== undefined) controller.replace(`31 ports instead of ${ports}`);
}

/** On a port of its own a virtio device is modern anyway. */
function modernAlone(device: Reading, model: string | undefined): void {
  if (model === "virtio-transitional") device.dropAttribute("model", "the modern virtio device alone");
}

function readInput(devices: Reading | undefined, profile: ProfileDraft): void {
  for (const input of devices?.all("input") ?? []) {
    const type = input.attribute("type");
    const bus = input.attribute("bus");
    if (bus === "ps2") input.keep();
    else if (type === "tablet" && (bus === "usb" || bus === undefined)) {
      profile.usb = { ...(typeof profile.usb === "object" ? profile.usb : {}), tablet: true };
      input.keep();
    } else if (type === "keyboard" || type === "mouse")
      input.replace("the board's PS/2 keyboard and mouse are there");
    else input.drop(`no ${type} on ${bus}`);
  }
}

function readGraphics(devices: Reading | undefined, profile: ProfileDraft): void {
  const graphics = devices?.all("graphics") ?? [];
  const videos = devices?.all("video") ?? [];
  const model = videos[0]?.one("model")?.attribute("type");
  for (const each of graphics) {
    const type = each.attribute("type");
    if (type === "vnc") each.replace("VNC on a socket of the run directory, which nobody else can reach");
    else if (type === "spice") each.drop("SPICE is not offered: there is VNC on a socket");
    else each.drop(`no ${type}`);
  }
  if (graphics.some((each) => ["vnc", "spice"].includes(each.attribute("type") ?? ""))) {
    profile.display = { vnc: model === "virtio" ? { video: "virtio" } : {} };
  }
  for (const video of videos) {
    const heads = video.one("model")?.attribute("heads") ?? "1";
    if (!profile.display && model !== "none") video.drop("nobody could see it: write display.vnc for a card");
    else if (heads !== "1") video.replace(`one monitor instead of ${heads}`);
    else if (model === "none") video.keep();
    else if (model === undefined || model === "vga" || model === "virtio")
      video.replace("the card is in the next free slot of pcie.0");
    else video.replace(`${model} becomes a plain VGA card`);
  }
  for (const audio of devices?.all("audio") ?? []) if (audio.attribute("type") === "none") audio.keep();
  for (const name of ["sound", "audio", "redirdev", "redirfilter", "hub", "smartcard"]) {
    for (const each of devices?.all(name) ?? []) each.drop(`no ${name}`);
  }
}

function readSmall(devices: Reading | undefined, profile: ProfileDraft, buses: PciBuses): void {
  readRng(devices, profile, buses);
  const balloon = devices?.one("memballoon");
  const ballooned = balloon?.attribute("model") ?? "virtio";
  const deflates = isOn(balloon?.attribute("autodeflate"));
  const reports = isOn(balloon?.attribute("freePageReporting"));
  if (balloon && ballooned !== "none" && (deflates !== undefined || reports !== undefined)) {
    // Somebody thought of it: libvirt adds one to every guest that says nothing.
    const bus = buses.busOf(balloon);
    profile.balloon = {
      deflateOnOom: deflates === true,
      freePageReporting: reports === true,
      ...(bus === undefined ? {} : { bus }),
    };
  } else if (balloon && ballooned !== "none") {
    balloon.replace("no balloon: memory that is bound to nodes stays. Write balloon: true for one");
  }
  readWatchdog(devices, profile);
  const tpm = devices?.one("tpm");
  const interfaceOf = tpm?.attribute("model") ?? "tpm-tis";
  const backend = tpm?.one("backend");
  const kept = backend?.one("source");
  const state = kept?.attribute("type") === "dir" ? kept.attribute("path") : undefined;
  if (tpm && backend?.attribute("type") === "emulator" && state !== undefined) {
    profile.tpm = { state };
    if (interfaceOf === "tpm-crb") tpm.keep();
    else tpm.replace(`tpm-crb instead of ${interfaceOf}`);
  } else if (tpm && backend?.attribute("type") === "emulator") {
    profile.tpm = {};
    tpm.replace(
      `a TPM of its own (swtpm) as tpm-crb${interfaceOf === "tpm-crb" ? "" : ` instead of ${interfaceOf}`}; its state starts new: write tpm.state for a folder that keeps it`,
    );
  } else tpm?.drop("an emulated TPM alone is offered");
  const vsock = devices?.one("vsock");
  const cid = vsock?.one("cid");
  const address = cid && numberOf(cid, "address");
  cid?.attribute("auto");
  if (vsock) modernAlone(vsock, vsock.attribute("model"));
  if (vsock && address !== undefined) {
    const bus = buses.busOf(vsock);
    profile.vsock = { cid: address, ...(bus === undefined ? {} : { bus }) };
  } else vsock?.drop("write vsock.cid: an address is not made up");
  for (const name of ["panic", "shmem", "nvram", "crypto", "pstore", "lease"]) {
    for (const each of devices?.all(name) ?? []) each.drop(`no ${name}`);
  }
}

function readRng(devices: Reading | undefined, profile: ProfileDraft, buses: PciBuses): void {
  const rngs = devices?.all("rng") ?? [];
  profile.rng = rngs.length > 0;
  const [rng] = rngs;
  for (const other of rngs.slice(1)) other.drop("one source of random numbers is enough");
  if (!rng) return;
  modernAlone(rng, rng.attribute("model"));
  rng.one("alias")?.keep();
  rng.one("rate")?.drop("the host's random numbers do not run out");
  const backend = rng.one("backend");
  const kind = backend?.attribute("model");
  const source = backend?.text();
  const bus = buses.busOf(rng);
  const isOther = kind === "random" && source !== undefined && source !== "/dev/urandom";
  if (kind !== "random" && kind !== "builtin") backend?.drop(`${kind}: the host's /dev/urandom is used`);
  if (bus !== undefined || isOther)
    profile.rng = { ...(isOther ? { source } : {}), ...(bus === undefined ? {} : { bus }) };
}

function readWatchdog(devices: Reading | undefined, profile: ProfileDraft): void {
  const actions = ["reset", "shutdown", "poweroff", "pause", "none"] as const;
  for (const [index, watchdog] of (devices?.all("watchdog") ?? []).entries()) {
    const model = watchdog.attribute("model");
    const action = actions.find((known) => known === watchdog.attribute("action")) ?? "reset";
    watchdog.one("alias")?.keep();
    watchdog.one("address")?.replace("the next free slot of pcie.0");
    if (index === 0 && (model === "i6300esb" || model === "itco")) profile.watchdog = { model, action };
    // libvirt writes down the one that every q35 has.
    else if (model !== "itco") watchdog.drop(`one watchdog, itco or i6300esb, instead of ${model}`);
  }
}

function readIommu(devices: Reading | undefined, profile: ProfileDraft): void {
  const iommu = devices?.one("iommu");
  if (!iommu) return;
  if (iommu.attribute("model") !== "intel") {
    iommu.drop("an Intel IOMMU alone is offered");
    return;
  }
  const driver = iommu.one("driver");
  // The board's own, which libvirt leaves it: 48 since pc-q35-9.2.
  const [, major = "0", minor = "0"] = /^pc-q35-(\d+)\.(\d+)/.exec(profile.machine?.type ?? "") ?? [];
  const usual = Number(major) * 100 + Number(minor) >= 902 ? 48 : 39;
  const bits = (driver && numberOf(driver, "aw_bits")) ?? usual;
  const remapping = isOn(driver?.attribute("intremap"));
  const caching = isOn(driver?.attribute("caching_mode"));
  for (const name of ["iotlb", "eim"]) {
    if (isOn(driver?.attribute(name)) === true) driver?.dropAttribute(name, "QEMU's default is used");
  }
  iommu.one("alias")?.keep();
  profile.machine = {
    ...profile.machine,
    viommu: {
      ...(remapping === false ? { interruptRemapping: false } : {}),
      ...(caching === true ? { cachingMode: true } : {}),
      ...(bits === 39 ? { addressBits: 39 as const } : {}),
    },
  };
}
