/** A file, folder or symbolic link of an archive; all belong to root and to no time. */
export type CpioEntry =
  | { readonly path: string; readonly kind: "file"; readonly mode: number; readonly content: Uint8Array }
  | { readonly path: string; readonly kind: "link"; readonly target: string }
  | { readonly path: string; readonly kind: "folder" };

const fileTypes = { file: 0o100000, link: 0o120000, folder: 0o040000 } as const;
const folderMode = 0o755;
const linkMode = 0o777;

/**
 * An archive that Linux unpacks as its first root file system. The same entries give the same bytes, in any order;
 * folders above an entry are added.
 * @see https://docs.kernel.org/driver-api/early-userspace/buffer-format.html
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const byPath = new Map<string, CpioEntry>();
  for (const entry of entries) {
    for (const folder of foldersAbove(entry.path)) {
      if (!byPath.has(folder)) byPath.set(folder, { path: folder, kind: "folder" });
    }
    byPath.set(entry.path, entry);
  }
  // A folder comes before what is in it: its name is the beginning of theirs.
  const sorted = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const records = sorted.map((entry, index) => record(index + 1, entry));
  return Buffer.concat([...records, trailer()]);
}

function foldersAbove(path: string): string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

function record(inode: number, entry: CpioEntry): Buffer {
  const content = contentOf(entry);
  const mode =
    fileTypes[entry.kind] |
    (entry.kind === "file" ? entry.mode : entry.kind === "link" ? linkMode : folderMode);
  return Buffer.concat([head(inode, mode, entry.path, content.length), padded(content)]);
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === "file") return entry.content;
  return Buffer.from(entry.kind === "link" ? entry.target : "");
}

function trailer(): Buffer {
  return head(0, 0, "TRAILER!!!", 0);
}

/** Fourteen fields of eight hexadecimal digits behind the magic, then the name; all padded to four bytes. */
function head(inode: number, mode: number, path: string, size: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [uid, gid, links, modified, major, minor] = [0, 0, 1, 0, 0, 0];
  const fields = [inode, mode, uid, gid, links, modified, size, major, minor, 0, 0, name.length, 0];
  const text = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`;
  return padded(Buffer.concat([Buffer.from(text), name]));
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
