import type { Draft } from "./draft.ts";
import type { PcieTree } from "./pcie.ts";

/** The small devices: I/O threads, random numbers, balloon, TPM, vsock, watchdog, USB, display. */
export function planDevices(draft: Draft, tree: PcieTree): void {
  planIothreads(draft);
  planRng(draft, tree);
  planBalloon(draft, tree);
  planTpm(draft);
  planVsock(draft, tree);
  planWatchdog(draft, tree);
  planUsb(draft, tree);
  planDisplay(draft, tree);
}

function planIothreads(draft: Draft): void {
  for (const [index, id] of draft.profile.iothreads.entries()) {
    draft.claimId("object", id, ["iothreads", index]);
    const because = draft.decide("devices", `iothreads.${id}`, {
      value: "an I/O thread",
      rule: "Disks that name it are served there, away from QEMU's main thread.",
      source: "invocation",
    });
    draft.add({ option: "object", qomType: "iothread", id, properties: {}, because: [because] });
  }
}

function planRng(draft: Draft, tree: PcieTree): void {
  const { rng } = draft.profile;
  if (rng === false) return;
  const { source, bus } = rng === true ? { source: "/dev/urandom", bus: undefined } : rng;
  const because = draft.decide("devices", "devices.rng", {
    value: `random numbers from ${source}`,
    rule: "A guest that starts without entropy waits for it.",
    source: "invocation",
  });
  draft.claimId("object", "rng0-source", ["rng"]);
  draft.add({
    option: "object",
    qomType: "rng-random",
    id: "rng0-source",
    properties: { filename: source },
    because: [because],
  });
  tree.place({
    id: "rng0",
    driver: "virtio-rng-pci",
    properties: { rng: "rng0-source" },
    because: [because],
    path: ["rng"],
    bus,
  });
}

function planBalloon(draft: Draft, tree: PcieTree): void {
  const { balloon } = draft.profile;
  if (balloon === false) return;
  const options =
    balloon === true ? { deflateOnOom: true, freePageReporting: false, bus: undefined } : balloon;
  const because = draft.decide("devices", "devices.balloon", {
    value: "a memory balloon",
    rule: "Only when the profile asks: a balloon takes back memory that was bound and preallocated.",
    source: "invocation",
  });
  tree.place({
    id: "balloon0",
    driver: "virtio-balloon-pci",
    properties: {
      "deflate-on-oom": options.deflateOnOom,
      "free-page-reporting": options.freePageReporting ? true : undefined,
    },
    because: [because],
    path: ["balloon"],
    bus: options.bus,
  });
}

function planTpm(draft: Draft): void {
  const { tpm } = draft.profile;
  if (!tpm) return;
  const socket = `${draft.places.qemuDirectory}/tpm.sock`;
  draft.claimId("socket", socket, ["tpm"]);
  draft.claimId("device", "tpm0", ["tpm"]);
  const state = tpm.state ?? draft.places.qemuDirectory;
  if (tpm.state) {
    draft.files.push({
      path: tpm.state,
      access: "write",
      kind: "directory",
      profilePath: ["tpm", "state"],
      what: "TPM state",
    });
  }
  const because = draft.decide("devices", "devices.tpm", {
    value: `TPM ${tpm.version}, state in ${state}`,
    rule: "swtpm is the TPM, in a process of its own that ends with QEMU.",
    source: "tpm",
  });
  draft.helpers.push({
    id: "tpm",
    programs: ["swtpm"],
    arguments: [
      "socket",
      "--tpm2",
      "--tpmstate",
      `dir=${state}`,
      "--ctrl",
      `type=unixio,path=${socket}`,
      "--terminate",
    ],
    socket,
  });
  draft.add(
    {
      option: "chardev",
      backend: "socket",
      id: "tpm",
      properties: { path: socket },
      because: [because],
    },
    {
      option: "tpmdev",
      type: "emulator",
      id: "tpm-backend",
      properties: { chardev: "tpm" },
      because: [because],
    },
    {
      option: "device",
      driver: "tpm-crb",
      id: "tpm0",
      properties: { tpmdev: "tpm-backend" },
      because: [because],
    },
  );
}

function planVsock(draft: Draft, tree: PcieTree): void {
  const { vsock } = draft.profile;
  if (!vsock) return;
  const because = draft.decide("devices", "devices.vsock", {
    value: `address ${vsock.cid}`,
    rule: "The address is the profile's, because programs on the host name it; no two guests may share one.",
    source: "invocation",
  });
  tree.place({
    id: "vsock0",
    driver: "vhost-vsock-pci",
    properties: { "guest-cid": vsock.cid },
    because: [because],
    path: ["vsock"],
    bus: vsock.bus,
  });
}

function planWatchdog(draft: Draft, tree: PcieTree): void {
  const { watchdog } = draft.profile;
  if (!watchdog) return;
  const because = draft.decide("devices", "devices.watchdog", {
    value: `${watchdog.model}, then ${watchdog.action}`,
    rule: "The board's own watchdog (itco) only has to be allowed to act; the other is a card.",
    source: "invocation",
  });
  if (watchdog.model === "itco") {
    draft.add({
      option: "global",
      properties: { driver: "ICH9-LPC", property: "noreboot", value: "off" },
      because: [because],
    });
  } else {
    tree.place({
      id: "watchdog0",
      driver: "i6300esb",
      properties: {},
      because: [because],
      path: ["watchdog"],
      bus: undefined,
      integrated: true,
    });
  }
  draft.add({ option: "action", properties: { watchdog: watchdog.action }, because: [because] });
}

function planUsb(draft: Draft, tree: PcieTree): void {
  const { usb } = draft.profile;
  if (usb === false) return;
  const because = draft.decide("devices", "devices.usb", {
    value: "a USB 3 controller",
    rule: "Only when the profile asks: polling costs the host time.",
    source: "invocation",
  });
  const options = usb === true ? { tablet: false, bus: undefined } : usb;
  tree.place({
    id: "usb0",
    driver: "qemu-xhci",
    properties: {},
    because: [because],
    path: ["usb"],
    bus: options.bus,
  });
  if (options.tablet) {
    draft.claimId("device", "tablet0", ["usb", "tablet"]);
    draft.addLeaf({
      option: "device",
      driver: "usb-tablet",
      id: "tablet0",
      properties: { bus: "usb0.0" },
      because: [because],
    });
  }
}

function planDisplay(draft: Draft, tree: PcieTree): void {
  const { display } = draft.profile;
  const vnc = display !== "none";
  const because = draft.decide("devices", "devices.display", {
    value: vnc ? `VNC on ${draft.places.qemuDirectory}/vnc.sock` : "none",
    rule: vnc
      ? "VNC listens on a socket in the VM's own folder, never on the network."
      : "A server needs no display.",
    source: "invocation",
  });
  draft.add({ option: "display", value: "none", because: [because] });
  if (!vnc) return;
  const socket = `${draft.places.qemuDirectory}/vnc.sock`;
  draft.claimId("socket", socket, ["display", "vnc"]);
  draft.add({ option: "vnc", value: `unix:${socket}`, because: [because] });
  tree.place({
    id: "video0",
    driver: display.vnc.video === "std" ? "VGA" : "virtio-vga",
    properties: {},
    because: [because],
    path: ["display"],
    bus: undefined,
    integrated: true,
  });
}
