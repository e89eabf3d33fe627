import type { Files } from "../system/index.ts";
import { pciFunctionsOfPath } from "./pci-place.ts";

const folder = "/sys/class/net";

/**
 * Interfaces of the default routes of both IP versions in the main table.
 * @see https://docs.kernel.org/networking/proc_net_tcp.html and net/ipv4/fib_trie.c, net/ipv6/route.c for the columns
 */
export function interfacesOfDefaultRoutes(files: Files): string[] {
  const rows = (path: string) =>
    (files.tryReadText(path) ?? "").split("\n").map((line) => line.trim().split(/\s+/));
  const four = rows("/proc/net/route").flatMap(([name, destination, , , , , , mask]) =>
    name !== undefined && destination === "00000000" && mask === "00000000" ? [name] : [],
  );
  const six = rows("/proc/net/ipv6_route").flatMap((row) => {
    const [destination = "", prefix] = row;
    const name = row[9];
    return name !== undefined && /^0{32}$/.test(destination) && prefix === "00" ? [name] : [];
  });
  return [...new Set([...four, ...six])];
}

/** Through bonds, bridges and VLANs to the network cards below. */
export function pciFunctionsOfInterface(files: Files, name: string, seen: Set<string> = new Set()): string[] {
  if (seen.has(name)) return [];
  seen.add(name);
  const lower = (files.list(`${folder}/${name}`) ?? []).flatMap(
    (entry) => /^lower_(.+)$/.exec(entry)?.[1] ?? [],
  );
  return [
    ...pciFunctionsOfPath(files.realPath(`${folder}/${name}`) ?? ""),
    ...lower.flatMap((below) => pciFunctionsOfInterface(files, below, seen)),
  ];
}
