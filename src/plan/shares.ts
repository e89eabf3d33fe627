import type { Draft } from "./draft.ts";
import type { PcieTree } from "./pcie.ts";

/** Where distributions put virtiofsd: it is not in PATH. */
const virtiofsdPrograms = [
  "virtiofsd",
  "/usr/libexec/virtiofsd",
  "/usr/lib/qemu/virtiofsd",
  "/usr/lib/virtiofsd",
];

/** Shared folders: 9p inside QEMU, virtiofs by a daemon beside it. */
export function planShares(draft: Draft, tree: PcieTree): void {
  for (const [index, share] of draft.profile.filesystems.entries()) {
    const path = ["filesystems", index];
    const tag = share.tag ?? share.id;
    draft.files.push({
      path: share.path,
      access: share.readOnly ? "read" : "write",
      kind: "directory",
      profilePath: [...path, "path"],
      what: `shared folder ${share.id}`,
    });
    const because = draft.decide("shares", `shares.${share.id}`, {
      value: `${share.type}, mount tag ${tag}${share.readOnly ? ", read-only" : ""}`,
      rule:
        share.type === "9p"
          ? "QEMU serves the folder itself; files keep their owners as the security model says."
          : "virtiofsd serves the folder and reaches the guest's memory, which is therefore shared.",
      facts: [share.path],
      source: share.type === "9p" ? "ninep" : "virtiofs",
    });
    if (share.type === "9p") {
      draft.add({
        option: "fsdev",
        driver: "local",
        id: `${share.id}-fsdev`,
        properties: {
          path: share.path,
          security_model: share.securityModel,
          readonly: share.readOnly ? true : undefined,
          multidevs: "remap",
        },
        because: [because],
      });
      tree.place({
        id: share.id,
        driver: "virtio-9p-pci",
        properties: { fsdev: `${share.id}-fsdev`, mount_tag: tag },
        because: [because],
        path,
        bus: share.bus,
      });
      continue;
    }
    checkVirtiofs(draft, share, path);
    const socket = `${draft.places.qemuDirectory}/${share.id}.fs.sock`;
    draft.claimId("socket", socket, [...path, "id"]);
    draft.helpers.push({
      id: share.id,
      programs: virtiofsdPrograms,
      arguments: [`--socket-path=${socket}`, "-o", `source=${share.path}`],
      socket,
    });
    draft.add({
      option: "chardev",
      backend: "socket",
      id: `${share.id}-fs`,
      properties: { path: socket },
      because: [because],
    });
    tree.place({
      id: share.id,
      driver: "vhost-user-fs-pci",
      properties: { chardev: `${share.id}-fs`, tag },
      because: [because],
      path,
      bus: share.bus,
    });
  }
}

function checkVirtiofs(
  draft: Draft,
  share: { id: string; path: string; readOnly: boolean },
  path: (string | number)[],
): void {
  if (share.readOnly) {
    draft.refuse("SHARE_COMBINATION", [...path, "readOnly"], {
      found: "a read-only virtiofs folder",
      needed: "9p, which can refuse writes: not every virtiofsd does",
      fix: 'write "type": "9p", or share a read-only bind mount of the folder',
    });
  }
  if (/[,\\]/.test(share.path)) {
    draft.refuse("SHARE_COMBINATION", [...path, "path"], {
      found: `a virtiofs folder with a comma or backslash in its path: ${share.path}`,
      needed: "a path that virtiofsd's options can carry",
      fix: 'share it by "9p", or by a path without commas',
    });
  }
}
