/** A PCI function's address on one machine. Domain 0-0xffff, bus 0-255, device 0-31, function 0-7. */
export interface PciAddress {
  readonly domain: number;
  readonly bus: number;
  readonly device: number;
  readonly function: number;
}

/** Reads "0000:19:00.0" or "19:00.0" (hexadecimal; the function is octal). */
export function parsePciAddress(text: string): PciAddress | undefined {
  const match = /^(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])$/i.exec(text);
  if (!match?.[2] || !match[3]) return undefined;
  const device = Number.parseInt(match[3], 16);
  if (device > 31) return undefined;
  return {
    domain: Number.parseInt(match[1] ?? "0", 16),
    bus: Number.parseInt(match[2], 16),
    device,
    function: Number(match[4]),
  };
}

/** Writes "0000:19:00.0". */
export function formatPciAddress(address: PciAddress): string {
  const hex = (value: number, width: number) => value.toString(16).padStart(width, "0");
  return `${hex(address.domain, 4)}:${hex(address.bus, 2)}:${hex(address.device, 2)}.${address.function}`;
}
