import { dirname, type FileFacts, type Files, type System } from "../../system/index.ts";
import type { Account } from "../accounts.ts";

type Access = "read" | "write" | "execute";

const bits = { read: 4, write: 2, execute: 1 } as const;

/**
 * Whether the user that QEMU runs as may do this. The kernel tells for our own user; for another one the owner and
 * mode of the file and of every folder above it do, without access lists.
 */
export function mayAccess(
  system: System,
  account: Account | undefined,
  path: string,
  wanted: readonly Access[],
): boolean {
  const { files } = system;
  if (account === undefined) return wanted.every((access) => files.allows(path, access));
  if (account.uid === 0) return true;
  const facts = files.facts(path);
  return (
    facts !== undefined &&
    wanted.every((access) => grants(facts, account, access)) &&
    firstClosedFolder(files, account, path) === undefined
  );
}

/** The first folder on the way that this user cannot enter. */
export function firstClosedFolder(files: Files, account: Account, path: string): string | undefined {
  const folders: string[] = [];
  for (let folder = dirname(files.realPath(path) ?? path); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === dirname(folder)) break;
  }
  return folders.find((folder) => {
    const facts = files.facts(folder);
    return facts !== undefined && !grants(facts, account, "execute");
  });
}

function grants(facts: FileFacts, { uid, gid, groups }: Account, access: Access): boolean {
  if (uid === 0) return true;
  const member = facts.gid === gid || groups.includes(facts.gid);
  const mode = facts.uid === uid ? facts.mode >> 6 : member ? facts.mode >> 3 : facts.mode;
  return (mode & bits[access]) !== 0;
}
