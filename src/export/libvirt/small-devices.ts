import type { Profile } from "../../profile/index.ts";
import type { PlannedTree } from "./controllers.ts";
import { addressOf } from "./places.ts";
import { type Element, element, textElement } from "./xml.ts";

/** Input, screen and graphics card. @see https://libvirt.org/formatdomain.html#graphical-framebuffers */
export function writeDisplay({ display, usb }: Profile, tree: PlannedTree): (Element | undefined)[] {
  const isTablet = typeof usb === "object" && usb.tablet;
  return [
    isTablet ? element("input", { type: "tablet", bus: "usb" }) : undefined,
    element("input", { type: "mouse", bus: "ps2" }),
    element("input", { type: "keyboard", bus: "ps2" }),
    ...(display === "none"
      ? [element("video", {}, element("model", { type: "none" }))]
      : [
          element("graphics", { type: "vnc" }, element("listen", { type: "socket" })),
          element(
            "video",
            {},
            element("model", { type: display.vnc.video === "virtio" ? "virtio" : "vga" }),
            addressOf(tree, "video0"),
          ),
        ]),
  ];
}

/** Random numbers, watchdog, TPM, vsock, IOMMU and balloon. @see https://libvirt.org/formatdomain.html#devices */
export function writeSmall(profile: Profile, tree: PlannedTree): (Element | undefined)[] {
  const { rng, watchdog, tpm, vsock, machine } = profile;
  const source = typeof rng === "object" ? rng.source : "/dev/urandom";
  return [
    rng === false
      ? undefined
      : element(
          "rng",
          { model: "virtio" },
          textElement("backend", source, { model: "random" }),
          addressOf(tree, "rng0"),
        ),
    watchdog &&
      element("watchdog", { model: watchdog.model, action: watchdog.action }, addressOf(tree, "watchdog0")),
    tpm &&
      element(
        "tpm",
        { model: "tpm-crb" },
        element(
          "backend",
          { type: "emulator", version: tpm.version },
          // Since libvirt 10.10; older ones keep the state in a folder of their own.
          tpm.state === undefined ? undefined : element("source", { type: "dir", path: tpm.state }),
        ),
      ),
    vsock &&
      element(
        "vsock",
        { model: "virtio" },
        element("cid", { auto: "no", address: vsock.cid }),
        addressOf(tree, "vsock0"),
      ),
    machine.viommu &&
      element(
        "iommu",
        { model: "intel" },
        element("driver", {
          intremap: machine.viommu.interruptRemapping ? "on" : "off",
          caching_mode: machine.viommu.cachingMode ? "on" : "off",
          // libvirt asks for it where ids of vCPUs have more than eight bits.
          eim: (profile.cpus.max ?? profile.cpus.boot) > 255 ? "on" : undefined,
          aw_bits: machine.viommu.addressBits,
        }),
      ),
    writeBalloon(profile, tree),
  ];
}

/** libvirt gives guests a balloon unless they say none; ours say what it does. */
function writeBalloon({ balloon }: Profile, tree: PlannedTree): Element {
  if (balloon === false) return element("memballoon", { model: "none" });
  const given = typeof balloon === "object" ? balloon : { deflateOnOom: true, freePageReporting: false };
  return element(
    "memballoon",
    {
      model: "virtio",
      autodeflate: given.deflateOnOom ? "on" : "off",
      freePageReporting: given.freePageReporting ? "on" : "off",
    },
    addressOf(tree, "balloon0"),
  );
}
