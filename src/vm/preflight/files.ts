import type { Diagnostic } from "../../errors/index.ts";
import type { NeededFile } from "../../plan/types.ts";
import { firstClosedFolder, mayAccess } from "./access.ts";
import { error, type FileContext } from "./context.ts";
import { checkImage } from "./image.ts";

/** Files and folders that the profile names: there, of the right kind, open to QEMU, and not somebody else's. */
export function checkFiles(context: FileContext): Diagnostic[] {
  return context.plan.run.files.flatMap((needed) => {
    const problem = checkAccess(context, needed);
    if (problem !== undefined) return [problem];
    return needed.format === undefined ? [] : checkImage(context, needed, needed.format);
  });
}

function checkAccess({ system, account }: FileContext, needed: NeededFile): Diagnostic | undefined {
  const { path, kind, what, profilePath } = needed;
  const facts = system.files.facts(path);
  if (facts === undefined) {
    const link = system.files.facts(path, { followLinks: false })?.kind === "link";
    return error("HOST_FILE_MISSING", profilePath, {
      found: `${what}: ${path} ${link ? "is a link to nothing" : "does not exist"}`,
      needed: kind === "directory" ? "a folder" : "a file",
      fix: "correct the path (relative ones count from the profile's folder), or make it",
    });
  }
  if ((facts.kind === "directory") !== (kind === "directory")) {
    return error("HOST_FILE_FORMAT", profilePath, {
      found: `${what}: ${path} is a ${facts.kind === "directory" ? "folder" : facts.kind}`,
      needed: kind === "directory" ? "a folder" : "a file or a block device",
      fix: "name another path",
    });
  }
  const wanted = [
    "read",
    ...(needed.access === "write" ? (["write"] as const) : []),
    ...(kind === "directory" ? (["execute"] as const) : []),
  ] as const;
  if (mayAccess(system, account, path, wanted)) return undefined;
  const closed = account && firstClosedFolder(system.files, account, path);
  const user = account === undefined ? "you" : `user ${account.uid}`;
  return error("HOST_FILE_MISSING", profilePath, {
    found: `${what}: ${user} may not ${needed.access} ${path}`,
    needed: closed === undefined ? `the right to ${needed.access} it` : `the right to enter ${closed}`,
    fix: closed === undefined ? "change its owner or mode" : `chmod o+x ${closed}, or move the file`,
  });
}
