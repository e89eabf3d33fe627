import type { MemoryDevice } from "../../profile/index.ts";
import type { PlannedTree } from "./controllers.ts";
import { addressOf, alias } from "./places.ts";
import { bytes, type Element, element, textElement } from "./xml.ts";

/** What libvirt lets a virtio-mem device grow by: what x86 guests can take and give. */
const smallestBlock = 2 * 2 ** 20;

/** A DIMM, an NVDIMM or a virtio-mem device. @see https://libvirt.org/formatdomain.html#memory-devices */
export function writeMemoryDevice(device: MemoryDevice, tree: PlannedTree): Element {
  const source = [
    device.path === undefined ? undefined : textElement("path", device.path),
    device.align === undefined ? undefined : bytes("alignsize", device.align),
    device.pageSize === undefined ? undefined : bytes("pagesize", device.pageSize),
    device.pmem === true ? element("pmem") : undefined,
  ].filter((part) => part !== undefined);
  const isVirtio = device.kind === "virtio-mem";
  return element(
    "memory",
    {
      model: device.kind,
      access: device.kind === "nvdimm" ? (device.share === false ? "private" : "shared") : undefined,
    },
    source.length > 0 ? element("source", {}, ...source) : undefined,
    element(
      "target",
      {},
      bytes("size", device.size),
      textElement("node", device.cell),
      isVirtio ? bytes("block", Math.max(smallestBlock, device.pageSize ?? 0)) : undefined,
      isVirtio ? bytes("requested", device.requested ?? device.size) : undefined,
      device.labelSize === undefined ? undefined : element("label", {}, bytes("size", device.labelSize)),
      device.unarmed === true ? element("readonly") : undefined,
    ),
    alias(device.id),
    isVirtio ? addressOf(tree, device.id) : undefined,
  );
}
