import type { PciFunction } from "../../src/host/index.ts";
import type { FakeFile } from "./fake-system.ts";

/**
 * The files that the kernel shows for these functions and the bridges among them.
 * @param reader "user" is shown 64 bytes of each config space, as everybody but root
 */
export function pciFiles(
  functions: readonly PciFunction[],
  reader: "root" | "user" = "root",
): Record<string, FakeFile> {
  const tree: Record<string, FakeFile> = {};
  const byAddress = new Map(functions.map((each) => [each.address, each]));
  const pathOf = (each: PciFunction): string => {
    const parent = each.parent === undefined ? undefined : byAddress.get(each.parent);
    return `${parent === undefined ? `/sys/devices/pci${each.rootBus}` : pathOf(parent)}/${each.address}`;
  };
  for (const each of functions) {
    const path = pathOf(each);
    tree[`/sys/bus/pci/devices/${each.address}`] = { link: `../../..${path.slice("/sys".length)}` };
    for (const [name, text] of Object.entries(attributes(each))) tree[`${path}/${name}`] = `${text}\n`;
    tree[`${path}/config`] = { bytes: configSpace(each).subarray(0, reader === "root" ? 4096 : 64) };
    if (each.driver !== undefined) {
      tree[`${path}/driver`] = { link: `/sys/bus/pci/drivers/${each.driver}` };
      tree[`/sys/bus/pci/drivers/${each.driver}/bind`] = "";
    }
    if (each.iommuGroup !== undefined) {
      const group = `/sys/kernel/iommu_groups/${each.iommuGroup}`;
      tree[`${path}/iommu_group`] = { link: group };
      tree[`${group}/devices/${each.address}`] = { link: path };
    }
    if (each.physicalFunction !== undefined) {
      tree[`${path}/physfn`] = { link: `/sys/bus/pci/devices/${each.physicalFunction}` };
    }
  }
  return tree;
}

function attributes(each: PciFunction): Record<string, string | number> {
  const { subsystem, link, virtualFunctions } = each;
  const subsystemId = `${subsystem?.vendor ?? "0000"}:${subsystem?.device ?? "0000"}`;
  const identity = [
    ...(each.driver === undefined ? [] : [`DRIVER=${each.driver}`]),
    `PCI_CLASS=${each.class.replace(/^0/, "").toUpperCase()}`,
    `PCI_ID=${each.vendor}:${each.device}`.toUpperCase(),
    `PCI_SUBSYS_ID=${subsystemId}`.toUpperCase(),
    `PCI_SLOT_NAME=${each.address}`,
  ];
  const speed = (value: number) => (value === 0 ? "Unknown" : `${value.toFixed(1)} GT/s PCIe`);
  return {
    uevent: identity.join("\n"),
    class: `0x${each.class}`,
    vendor: `0x${each.vendor}`,
    device: `0x${each.device}`,
    numa_node: each.node,
    resource: resourceLines(each).join("\n"),
    ...(link === undefined
      ? {}
      : {
          max_link_speed: speed(link.maxSpeed),
          max_link_width: link.maxWidth,
          current_link_speed: speed(link.speed),
          current_link_width: link.width,
        }),
    ...(virtualFunctions === undefined
      ? {}
      : { sriov_totalvfs: virtualFunctions.max, sriov_numvfs: virtualFunctions.now }),
  };
}

/** Thirteen lines, as with SR-IOV; the BARs of virtual functions are empty here. */
function resourceLines({ bars }: PciFunction): string[] {
  const hexadecimal = (value: number | bigint) => `0x${value.toString(16).padStart(16, "0")}`;
  return Array.from({ length: 13 }, (_, index) => {
    const bar = bars.find((candidate) => candidate.index === index);
    if (bar === undefined) return [0, 0, 0].map(hexadecimal).join(" ");
    const start = bar.kind === "io" ? 0x6000n : 0x38_0000_0000n;
    const end = start + BigInt(bar.sizeBytes) - 1n;
    const kindBits = { io: 0x40101, mem32: 0x40200, mem64: 0x140204 }[bar.kind];
    return [start, end, kindBits | (bar.prefetchable ? 0x2008 : 0)].map(hexadecimal).join(" ");
  });
}

/** Header, a capability of power management, that of PCI Express for what has a link, and the extended ones. */
function configSpace({ vendor, device, physicalFunction, kind, link, acs, ats }: PciFunction): Buffer {
  const isExpress = link !== undefined;
  const space = Buffer.alloc(isExpress ? 4096 : 256);
  const isVirtual = physicalFunction !== undefined;
  space.writeUInt16LE(isVirtual ? 0xffff : Number.parseInt(vendor, 16), 0);
  space.writeUInt16LE(isVirtual ? 0xffff : Number.parseInt(device, 16), 2);
  space.writeUInt16LE(0x10, 6);
  space.writeUInt8(0x50, 0x34);
  space.writeUInt16LE(isExpress ? 0x7001 : 0x0001, 0x50);
  if (!isExpress) return space;
  space.writeUInt16LE(0x0010, 0x70);
  space.writeUInt16LE((portTypes[kind] << 4) | 2, 0x72);
  space.writeUInt32LE(linkBits(link.maxSpeed, link.maxWidth), 0x7c);
  space.writeUInt16LE(linkBits(link.speed, link.width), 0x82);
  // Advanced error reporting first, as most have it, so that the others are found by the chain alone.
  const extended = [
    { id: 0x01, words: [] },
    ...(acs === undefined ? [] : [{ id: 0x0d, words: [acs.capability, acs.control] }]),
    ...(ats === undefined ? [] : [{ id: 0x0f, words: [0x20, ats ? 0x8000 : 0] }]),
  ];
  for (const [index, { id, words }] of extended.entries()) {
    const offset = 0x100 + index * 0x140;
    const next = index === extended.length - 1 ? 0 : offset + 0x140;
    space.writeUInt32LE(((next << 20) | 0x1_0000 | id) >>> 0, offset);
    for (const [place, word] of words.entries()) space.writeUInt16LE(word, offset + 4 + place * 2);
  }
  return space;
}

function linkBits(speed: number, width: number): number {
  return [0, 2.5, 5, 8, 16, 32, 64].indexOf(speed) | (width << 4);
}

const portTypes = {
  endpoint: 0,
  "root-port": 4,
  "upstream-port": 5,
  "downstream-port": 6,
  bridge: 7,
} as const;
