import { libvirtQemu } from "./extra.ts";
import type { Reading } from "./reading.ts";

/**
 * Properties of QEMU's devices that the domain sets in libvirt's place, by the alias of the device.
 * @see https://libvirt.org/drvqemu.html (pass-through of device properties)
 */
export class Overrides {
  private readonly byAlias = new Map<string, Map<string, Reading>>();
  private readonly taken = new Set<Reading>();

  constructor(domain: Reading) {
    const devices = domain.one(`${libvirtQemu}override`)?.all(`${libvirtQemu}device`) ?? [];
    for (const device of devices) {
      const alias = device.attribute("alias") ?? "";
      const own = this.byAlias.get(alias) ?? new Map<string, Reading>();
      const front = device.one(`${libvirtQemu}frontend`);
      for (const property of front?.all(`${libvirtQemu}property`) ?? []) {
        own.set(property.attribute("name") ?? "", property);
      }
      this.byAlias.set(alias, own);
    }
  }

  /** What is set for a device; undefined where nothing is. */
  text(alias: string, name: string): string | undefined {
    const property = this.byAlias.get(alias)?.get(name);
    if (!property) return undefined;
    this.taken.add(property);
    property.attribute("type");
    return property.attribute("value");
  }

  /** A whole number; what is none is dropped with a line. */
  number(alias: string, name: string): number | undefined {
    const text = this.text(alias, name);
    if (text === undefined) return undefined;
    if (/^(\d{1,15}|0x[0-9a-fA-F]{1,12})$/.test(text)) return Number(text);
    this.byAlias.get(alias)?.get(name)?.drop(`"${text}" is no number`);
    return undefined;
  }

  /** Tells of those that nobody asked for. */
  finish(): void {
    for (const own of this.byAlias.values()) {
      for (const property of own.values()) {
        if (this.taken.has(property)) continue;
        property.drop(
          "no key of a profile is this property: -global among extraArgs sets it for all devices of a kind",
        );
      }
    }
  }
}

/** The alias that a device has in libvirt: its own, else libvirt's for its place. */
export function aliasIn(device: Reading, otherwise: string): string {
  return device.one("alias")?.attribute("name") ?? otherwise;
}
