/** The prefix that QEMU's own guests use, locally administered by custom. */
const prefix = [0x52, 0x54, 0x00];

/** Reads a unicast MAC address in any case with colons; returns it in lower case. */
export function parseMacAddress(text: string): string | undefined {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) return undefined;
  const firstByte = Number.parseInt(text.slice(0, 2), 16);
  return firstByte & 1 ? undefined : text.toLowerCase();
}

/**
 * A MAC address that depends only on the two names, so that a guest keeps its network identity between starts.
 * 24 bits of an FNV-1a hash below QEMU's prefix.
 */
export function macAddressFor(vmName: string, networkId: string): string {
  const hash = fnv1a(`${vmName}\0${networkId}`);
  const bytes = [...prefix, (hash >>> 16) & 0xff, (hash >>> 8) & 0xff, hash & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** @see https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
