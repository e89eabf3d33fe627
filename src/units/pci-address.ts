/** A PCI function of the host: domain, bus, slot, function, as Linux spells it: "0000:19:00.0". */
export interface PciAddress {
  /** 0 to 0xffffffff; 0 on most machines. */
  readonly domain: number;
  /** 0 to 255. */
  readonly bus: number;
  /** 0 to 31. */
  readonly slot: number;
  /** 0 to 7. */
  readonly function: number;
}

/** Reads "0000:19:00.0", or "19:00.0" in domain 0, in any case. */
export function parsePciAddress(text: string): PciAddress | undefined {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i.exec(text);
  if (!match) return undefined;
  const [, domain = "0", bus = "", slot = "", fn = ""] = match;
  return {
    domain: Number.parseInt(domain, 16),
    bus: Number.parseInt(bus, 16),
    slot: Number.parseInt(slot, 16),
    function: Number(fn),
  };
}

/** As sysfs names it, in lower case. */
export function formatPciAddress({ domain, bus, slot, function: fn }: PciAddress): string {
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(slot, 2)}.${fn}`;
}

/** The name that sysfs has for it: read in any case, and without the domain where that is 0. */
export function normalPciAddress(text: string): string | undefined {
  const address = parsePciAddress(text);
  return address && formatPciAddress(address);
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");

/** Orders the addresses of sysfs: by domain, bus, slot and function. */
export function comparePciAddresses(a: string, b: string): number {
  // Domains have four digits or more, and a longer one is a higher one.
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
