import { aliasOf, type ProfileDraft } from "./context.ts";
import type { PciBuses } from "./pci-buses.ts";
import type { Reading } from "./reading.ts";

/** Folders of the host, by virtiofs or 9p. */
export function readFilesystems(devices: Reading | undefined, profile: ProfileDraft, buses: PciBuses): void {
  const list = (devices?.all("filesystem") ?? []).flatMap((each, index) => {
    const type = each.attribute("type") ?? "mount";
    const driver = each.one("driver")?.attribute("type") ?? "path";
    const path = each.one("source")?.attribute("dir");
    const tag = each.one("target")?.attribute("dir");
    if (type !== "mount" || path === undefined || (driver !== "virtiofs" && driver !== "path")) {
      each.drop(`a file system of type ${type}, ${driver}: virtiofs and 9p alone`);
      return [];
    }
    if (each.one("driver")?.attribute("queue") !== undefined)
      each.one("driver")?.dropAttribute("queue", "QEMU's default is used");
    // Files of several file systems keep numbers of their own, as is always so here.
    if (each.attribute("multidevs") !== "remap" && each.attribute("multidevs") !== undefined)
      each.dropAttribute("multidevs", "files of several file systems keep numbers of their own");
    for (const name of ["binary", "idmap"]) each.one(name)?.drop("virtiofsd's own defaults are used");
    const access = each.attribute("accessmode") ?? "passthrough";
    const bus = buses.busOf(each);
    const model = { passthrough: "passthrough", mapped: "mapped-xattr", squash: "none" }[access];
    return [
      {
        id: aliasOf(each) ?? `fs${index}`,
        ...(driver === "path" ? { type: "9p" as const } : {}),
        path,
        ...(tag === undefined ? {} : { tag: tagOf(each, tag) }),
        ...(each.one("readonly") ? { readOnly: true } : {}),
        ...(driver === "path"
          ? { securityModel: (model ?? "mapped-xattr") as "passthrough" | "mapped-xattr" | "none" }
          : {}),
        ...(bus === undefined ? {} : { bus }),
      },
    ];
  });
  if (list.length > 0) profile.filesystems = list;
}

/** What the guest mounts it by, as near to the domain's as can be. */
function tagOf(filesystem: Reading, tag: string): string {
  const plain = tag.replace(/[^A-Za-z0-9._/-]/g, "-").slice(0, 31) || "-";
  if (plain !== tag)
    filesystem
      .one("target")
      ?.improve(`the guest mounts it by "${plain}" instead of "${tag}": change its fstab`);
  return plain;
}
