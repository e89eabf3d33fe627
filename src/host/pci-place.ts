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
