import { parseByteSize } from "../../units/index.ts";
import { aliasOf, bytesOf, countIn, type ProfileDraft, sizeText } from "./context.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

const twoMebibytes = 2 * 1024 ** 2;

/** DIMMs, NVDIMMs and virtio-mem devices. */
export function readMemoryDevices(
  devices: Reading | undefined,
  profile: ProfileDraft,
  buses: PciBuses,
): void {
  const list = (devices?.all("memory") ?? []).flatMap((each, index) => {
    const model = each.attribute("model");
    const target = each.one("target");
    const size = target?.one("size");
    const bytes = size && bytesOf(size, size.text() ?? "", size.attribute("unit") ?? "KiB");
    if ((model !== "dimm" && model !== "nvdimm" && model !== "virtio-mem") || bytes === undefined) {
      each.drop(`a memory device of model ${model}: dimm, nvdimm and virtio-mem alone`);
      return [];
    }
    const access = each.attribute("access");
    const whole = model === "virtio-mem" ? bytes : Math.ceil(bytes / twoMebibytes) * twoMebibytes;
    if (whole !== bytes)
      size?.improve(`${sizeText(whole)}: memory devices are whole 2 MiB, as libvirt has them`);
    each.one("uuid")?.keep();
    const cell = countIn(target?.one("node"), 0);
    const source = each.one("source");
    const path = source?.one("path")?.text();
    const page = source?.one("pagesize");
    const pageBytes = page && bytesOf(page, page.text() ?? "", page.attribute("unit") ?? "KiB");
    const nodes = source?.one("nodemask");
    nodes?.drop("it is bound as its cell is: bind the cell");
    const requested = target?.one("requested");
    const wanted =
      requested && bytesOf(requested, requested.text() ?? "", requested.attribute("unit") ?? "KiB");
    for (const name of ["current", "address"]) target?.one(name)?.keep();
    const block = target?.one("block");
    const blockBytes = block && bytesOf(block, block.text() ?? "", block.attribute("unit") ?? "KiB");
    if (blockBytes !== undefined && blockBytes !== twoMebibytes)
      block?.drop("blocks are as large as QEMU makes them: 2 MiB, or its page");
    const label = target?.one("label")?.one("size");
    const labelBytes = label && bytesOf(label, label.text() ?? "", label.attribute("unit") ?? "KiB");
    const align = source?.one("alignsize");
    const alignBytes = align && bytesOf(align, align.text() ?? "", align.attribute("unit") ?? "KiB");
    if (model !== "virtio-mem") each.one("address")?.keep();
    const id = aliasOf(each) ?? `${model}${index}`;
    if (model === "virtio-mem") buses.keepFor(each, id);
    return [
      {
        id,
        kind: model,
        size: sizeText(whole),
        cell,
        ...(pageBytes === undefined ? {} : { pageSize: sizeText(pageBytes) }),
        ...(wanted === undefined ? {} : { requested: sizeText(wanted) }),
        ...(path === undefined ? {} : { path }),
        ...(labelBytes === undefined ? {} : { labelSize: sizeText(labelBytes) }),
        ...(alignBytes === undefined ? {} : { align: sizeText(alignBytes) }),
        ...(source?.one("pmem") ? { pmem: true } : {}),
        ...(target?.one("readonly") ? { unarmed: true } : {}),
        ...(model === "nvdimm" && access === "private" ? { share: false } : {}),
      } as const,
    ];
  });
  if (list.length === 0) return;
  profile.memory.devices = list;
  profile.memory.size = sizeText(sizeWithout(profile, list));
}

/** libvirt's size of a domain has that of its memory devices in it; cells are what is there without them. */
function sizeWithout(
  { memory, numa }: ProfileDraft,
  devices: readonly { readonly size: string | number }[],
): number {
  const sum = (sizes: readonly (string | number | undefined)[]) =>
    sizes.reduce<number>((total, size) => total + (parseByteSize(size ?? 0) ?? 0), 0);
  if (numa?.cells) return sum(numa.cells.map((cell) => cell.memory));
  const all = sum([memory.size]);
  const added = sum(devices.map(({ size }) => size));
  return all > added ? all - added : all;
}
