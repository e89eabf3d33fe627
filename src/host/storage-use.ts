import type { Files } from "../system/index.ts";
import { pciFunctionsOfPath } from "./pci-place.ts";

/**
 * Block devices with a mounted file system, each once, the root file system's first. Those of btrfs have numbers that
 * belong to no device, and several devices.
 * @returns names as in /sys/class/block
 * @see https://docs.kernel.org/filesystems/proc.html#proc-pid-mountinfo-information-about-mounts
 */
export function mountedBlockDevices(files: Files): { device: string; mountPoint: string }[] {
  const mounts = (files.tryReadText("/proc/self/mountinfo") ?? "").split("\n").flatMap((line) => {
    const [before = "", after] = line.split(" - ");
    const [, , numbers, , mountPoint] = before.split(" ");
    if (numbers === undefined || mountPoint === undefined || after === undefined) return [];
    return [{ numbers, mountPoint: decoded(mountPoint), source: decoded(after.split(" ")[1] ?? "") }];
  });
  mounts.sort((a, b) => Number(b.mountPoint === "/") - Number(a.mountPoint === "/"));
  const found = new Map<string, string>();
  for (const { numbers, mountPoint, source } of mounts) {
    const device = lastOf(files.readLink(`/sys/dev/block/${numbers}`)) ?? deviceOfNode(files, source);
    if (device === undefined || found.has(device)) continue;
    for (const each of [device, ...companionsInBtrfs(files, device)]) found.set(each, mountPoint);
  }
  return [...found].map(([device, mountPoint]) => ({ device, mountPoint }));
}

/** Partitions and disks; a swap file is on a file system that is mounted. */
export function swapDevices(files: Files): string[] {
  const [, ...lines] = (files.tryReadText("/proc/swaps") ?? "").split("\n");
  return lines.flatMap((line) => {
    const [node, type] = line.split(/\s+/);
    const device = type === "partition" && node !== undefined ? deviceOfNode(files, node) : undefined;
    return device === undefined ? [] : [device];
  });
}

/** Down through partitions, device mapper, md and the paths of a shared NVMe namespace. */
export function pciFunctionsOfBlockDevice(
  files: Files,
  name: string,
  seen: Set<string> = new Set(),
): string[] {
  const path = files.realPath(`/sys/class/block/${name}`);
  if (path === undefined || seen.has(name)) return [];
  seen.add(name);
  const slaves = files.list(`${path}/slaves`) ?? [];
  const subsystem = /^.*\/nvme-subsystem\/[^/]+/.exec(path)?.[0];
  const controllers =
    subsystem === undefined
      ? []
      : (files.list(subsystem) ?? [])
          .filter((entry) => /^nvme\d+$/.test(entry))
          .map((entry) => files.realPath(`${subsystem}/${entry}`) ?? "");
  return [
    ...[path, ...controllers].flatMap(pciFunctionsOfPath),
    ...slaves.flatMap((slave) => pciFunctionsOfBlockDevice(files, slave, seen)),
  ];
}

/** "/dev/mapper/vg-root" is a link to "/dev/dm-0". */
function deviceOfNode(files: Files, node: string): string | undefined {
  if (!node.startsWith("/dev/")) return undefined;
  const name = lastOf(files.realPath(node) ?? node);
  return name !== undefined && files.facts(`/sys/class/block/${name}`) !== undefined ? name : undefined;
}

function companionsInBtrfs(files: Files, device: string): readonly string[] {
  const folder = "/sys/fs/btrfs";
  for (const id of files.list(folder) ?? []) {
    const devices = files.list(`${folder}/${id}/devices`) ?? [];
    if (devices.includes(device)) return devices;
  }
  return [];
}

/** The kernel writes blanks and backslashes as three octal digits. */
function decoded(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function lastOf(path: string | undefined): string | undefined {
  return path?.slice(path.lastIndexOf("/") + 1);
}
