import type { Files } from "../system/index.ts";
import { comparePciAddresses } from "../units/index.ts";
import { readHostUses } from "./host-use.ts";
import { readIommu } from "./iommu.ts";
import { type AcsAt, type ConfigFacts, readAcs, readConfig } from "./pci-config.ts";
import { kindOfPort, kindsByPlace } from "./pci-kinds.ts";
import type { Host, PciBar, PciFunction } from "./topology.ts";

const folder = "/sys/bus/pci/devices";

/** Access Control Services of a function now; undefined when it has none, or may not be asked. */
export function readFunctionAcs(files: Files, address: string): AcsAt | undefined {
  return readAcs(files, `${folder}/${address}/config`);
}

/** PCI functions and the IOMMU, as `Host` has them. Nothing is kept: drivers and uses change. */
export function readPci(files: Files): Required<Pick<Host, "pci" | "iommu">> {
  const pci = readPciFunctions(files);
  return { pci, iommu: readIommu(files, pci) };
}

/** Every function of every domain, by address. @see https://docs.kernel.org/PCI/sysfs-pci.html */
function readPciFunctions(files: Files): PciFunction[] {
  const readings = (files.list(folder) ?? [])
    .sort(comparePciAddresses)
    .flatMap((address) => readFunction(files, address) ?? []);
  const kinds = kindsByPlace(readings);
  const uses = readHostUses(files, readings);
  return readings.map((reading) => {
    const { isExpress: _, portType, acs, ats, ...facts } = reading;
    const hostUse = uses.get(facts.address);
    return {
      ...facts,
      kind: portType === undefined ? (kinds.get(facts.address) ?? "endpoint") : kindOfPort(portType),
      ...(acs === undefined ? {} : { acs }),
      ...(ats === undefined ? {} : { ats }),
      ...(hostUse === undefined ? {} : { hostUse }),
    };
  });
}

interface Reading extends Omit<PciFunction, "kind" | "acs" | "ats" | "hostUse">, ConfigFacts {
  readonly isExpress: boolean;
}

/** @returns undefined for a function that went away */
function readFunction(files: Files, address: string): Reading | undefined {
  const path = `${folder}/${address}`;
  const place = placeOf(files.readLink(path) ?? "");
  const uevent = files.tryReadText(`${path}/uevent`);
  if (place === undefined || uevent === undefined) return undefined;
  const names = new Set(files.list(path));
  const text = (name: string) => (names.has(name) ? files.tryReadText(`${path}/${name}`)?.trim() : undefined);
  const linked = (name: string) => (names.has(name) ? lastOf(files.readLink(`${path}/${name}`)) : undefined);
  const group = linked("iommu_group");
  const physicalFunction = linked("physfn");
  const mostVirtual = Number(text("sriov_totalvfs") ?? 0);
  const config = readConfig(files, `${path}/config`);
  const link = config?.portType === undefined ? readLink(text) : config.link;
  return {
    address,
    ...place,
    ...parseIdentity(uevent),
    node: Number(text("numa_node") ?? -1),
    ...(group === undefined ? {} : { iommuGroup: Number(group) }),
    bars: parseBars(text("resource") ?? ""),
    ...config,
    ...(link === undefined ? {} : { link }),
    ...(physicalFunction === undefined ? {} : { physicalFunction }),
    ...(mostVirtual === 0
      ? {}
      : { virtualFunctions: { now: Number(text("sriov_numvfs") ?? 0), max: mostVirtual } }),
    isExpress: names.has("max_link_speed"),
  };
}

/** From "../../../devices/pci0000:17/0000:17:01.0/0000:18:00.0"; a root bus may hang from a function of another domain. */
function placeOf(link: string): Pick<PciFunction, "rootBus" | "parent"> | undefined {
  const match = /\/pci([0-9a-f]{4,8}:[0-9a-f]{2})((?:\/[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])+)$/.exec(
    link,
  );
  if (!match) return undefined;
  const [, rootBus = "", way = ""] = match;
  const parent = way.split("/").at(-2);
  return { rootBus, ...(parent ? { parent } : {}) };
}

/** One file for what has six of its own. It leaves leading zeros out of the class. */
function parseIdentity(
  uevent: string,
): Pick<PciFunction, "class" | "vendor" | "device" | "subsystem" | "driver"> {
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(uevent)?.[1]?.toLowerCase();
  const [vendor = "ffff", device = "ffff"] = value("PCI_ID")?.split(":") ?? [];
  const [subsystemVendor = "0000", subsystemDevice = "0000"] = value("PCI_SUBSYS_ID")?.split(":") ?? [];
  const driver = /^DRIVER=(.*)$/m.exec(uevent)?.[1];
  const hasSubsystem = subsystemVendor !== "0000" || subsystemDevice !== "0000";
  return {
    class: (value("PCI_CLASS") ?? "").padStart(6, "0"),
    vendor,
    device,
    ...(hasSubsystem ? { subsystem: { vendor: subsystemVendor, device: subsystemDevice } } : {}),
    ...(driver === undefined ? {} : { driver }),
  };
}

/** Flags of a resource. @see https://github.com/torvalds/linux/blob/master/include/linux/ioport.h */
const flag = { io: 0x100n, memory: 0x200n, prefetchable: 0x2000n, wide: 0x10_0000n };

/** "start end flags" a line: six BARs and the ROM; windows of bridges and BARs of virtual functions follow. */
function parseBars(resource: string): PciBar[] {
  return resource
    .split("\n")
    .slice(0, 7)
    .flatMap((line, index) => {
      const [start, end, flags] = line.split(" ");
      if (start === undefined || end === undefined || flags === undefined) return [];
      const bits = BigInt(flags);
      if ((bits & (flag.io | flag.memory)) === 0n || BigInt(end) === 0n) return [];
      const memory = (bits & flag.wide) === 0n ? "mem32" : "mem64";
      return [
        {
          index,
          sizeBytes: Number(BigInt(end) - BigInt(start) + 1n),
          kind: (bits & flag.io) === 0n ? memory : "io",
          prefetchable: (bits & flag.prefetchable) !== 0n,
        },
      ];
    });
}

/**
 * For where config space is closed: "32.0 GT/s PCIe" and "16"; "Unknown" and 255 are of a function without a link of its
 * own, or of a dead one.
 */
function readLink(text: (name: string) => string | undefined): PciFunction["link"] {
  const speed = (name: string) => Number.parseFloat(text(name) ?? "");
  const maxSpeed = speed("max_link_speed");
  const maxWidth = Number(text("max_link_width") ?? 0);
  if (Number.isNaN(maxSpeed) || maxWidth === 0 || maxWidth === 255) return undefined;
  const width = Number(text("current_link_width") ?? 0);
  return { maxSpeed, maxWidth, speed: width === 0 ? 0 : speed("current_link_speed") || 0, width };
}

function lastOf(link: string | undefined): string | undefined {
  return link?.slice(link.lastIndexOf("/") + 1);
}
