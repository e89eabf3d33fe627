/** Domains beyond 0xffff have more digits, so the longer name is the later one. */
export function byAddress(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

/**
 * The functions that a device stands on, from where sysfs has it. Behind a root bus that a function makes (Intel VMD),
 * that function is one of them.
 */
export function pciFunctionsOfPath(path: string): string[] {
  return path.split(/\/pci[0-9a-f]{4,8}:[0-9a-f]{2}(?=\/)/).flatMap((part) => {
    const addresses = part.match(/(?<=\/)[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=\/|$)/g) ?? [];
    return addresses.slice(-1);
  });
}
