import { type FileFacts, type Files, type System, SystemError, type User } from "../../src/system/index.ts";

/** A file's text or bytes, the target of a link, or facts of something else (a device node, a folder's mode). */
export type FakeFile =
  | string
  | { readonly bytes: Buffer }
  | { readonly link: string }
  | { readonly facts: Partial<FileFacts>; readonly text?: string };

/** Thrown by everything that would change the machine. Not a SystemError, so no code under test may swallow it. */
export class DryRunViolation extends Error {
  override readonly name = "DryRunViolation";
}

/**
 * A machine in memory: files by absolute path (folders follow from them), every write, spawn and connection throws.
 * @param tree `{ "/proc/meminfo": "MemTotal: 1 kB\n", "/dev/kvm": { facts: { kind: "character" } } }`
 */
export function fakeSystem(tree: Readonly<Record<string, FakeFile>>, user: Partial<User> = {}): System {
  const uid = user.uid ?? 1000;
  return {
    files: fakeFiles(tree, uid),
    processes: {
      run: refuse("processes.run"),
      start: refuse("processes.start"),
      find: (program) => findProgram(tree, program, user.environment?.PATH ?? "/usr/bin:/bin"),
      signal: refuse("processes.signal"),
    },
    sockets: {
      connect: refuse("sockets.connect"),
      connectDuplex: refuse("sockets.connectDuplex"),
      isListening: () => false,
    },
    locks: { programs: () => ["flock"], take: refuse("locks.take") },
    affinity: { programs: () => ["xargs", "taskset"], set: refuse("affinity.set") },
    clock: { now: () => 0, elapsedMs: () => 0, sleep: async () => {} },
    user: { uid, gid: 1000, environment: {}, workingDirectory: "/", ...user },
  };
}

/** Everything belongs to root; permissions are those of the mode (default 0644, folders 0755). */
function fakeFiles(tree: Readonly<Record<string, FakeFile>>, uid: number): Files {
  const resolve = (path: string): string | undefined => resolveLinks(tree, path);
  const text = (path: string): string => {
    const target = resolve(path);
    const entry = target === undefined ? undefined : tree[target];
    if (typeof entry === "string") return entry;
    if (typeof entry === "object" && "facts" in entry && entry.text !== undefined) return entry.text;
    throw new SystemError(target !== undefined ? "EISDIR" : "ENOENT", `ENOENT: no such file, open '${path}'`);
  };
  const bytes = (path: string): Buffer => {
    const entry = tree[resolve(path) ?? ""];
    return typeof entry === "object" && "bytes" in entry ? entry.bytes : Buffer.from(text(path));
  };
  const facts = (path: string): FileFacts | undefined => {
    const target = resolve(path);
    return target === undefined ? undefined : describe(tree[target]);
  };
  const tryReadText = (path: string) => {
    try {
      return text(path);
    } catch (error) {
      if (error instanceof SystemError) return undefined;
      throw error;
    }
  };
  const linesOf = (path: string) => tryReadText(path)?.replace(/\n$/, "").split("\n");
  return {
    readText: text,
    tryReadText,
    tryReadTextAside: async (path) => tryReadText(path),
    findLine: (path, isIt) => linesOf(path)?.find(isIt),
    findLineFrom: (path, beginning) => linesOf(path)?.find((line) => line.startsWith(beginning)),
    readStart: (path, count) => bytes(path).subarray(0, count),
    tryReadTextStart: (path, count) => tryReadText(path)?.slice(0, count),
    readPart: (path, offset, count) => bytes(path).subarray(offset, offset + count),
    readFrom: (path, offset) => bytes(path).subarray(offset),
    list: (path) => {
      const folder = `${resolve(path) ?? path}/`;
      const names = Object.keys(tree)
        .filter((key) => key.startsWith(folder))
        .map((key) => key.slice(folder.length).split("/")[0] ?? "");
      return names.length === 0 ? undefined : [...new Set(names)].sort();
    },
    readLink: (path) => {
      const cut = path.lastIndexOf("/");
      const entry = tree[path] ?? tree[`${resolve(path.slice(0, cut))}${path.slice(cut)}`];
      return typeof entry === "object" && "link" in entry ? entry.link : undefined;
    },
    realPath: resolve,
    facts: (path, options) => {
      const entry = tree[path];
      const isLink = typeof entry === "object" && "link" in entry;
      return isLink && options?.followLinks === false ? { ...describe(entry), kind: "link" } : facts(path);
    },
    allows: (path, access) => permits(facts(path), uid, accessBits[access]),
    opens: (path) => permits(facts(path), uid, accessBits.read | accessBits.write),
    writeAtomically: refuse("files.writeAtomically"),
    write: refuse("files.write"),
    writePart: refuse("files.writePart"),
    openAppend: refuse("files.openAppend"),
    makeDirectory: refuse("files.makeDirectory"),
    changeOwner: refuse("files.changeOwner"),
    changeMode: refuse("files.changeMode"),
    copy: refuse("files.copy"),
    remove: refuse("files.remove"),
  };
}

/** The path with links in any of its folders followed, or undefined when nothing is there. */
function resolveLinks(tree: Readonly<Record<string, FakeFile>>, path: string, depth = 0): string | undefined {
  if (depth > 40) return undefined;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (let length = 1; length <= parts.length; length++) {
    const prefix = `/${parts.slice(0, length).join("/")}`;
    const entry = tree[prefix];
    if (typeof entry !== "object" || !("link" in entry)) continue;
    const base = entry.link.startsWith("/") ? "" : prefix.slice(0, prefix.lastIndexOf("/"));
    return resolveLinks(tree, normalize(`${base}/${entry.link}/${parts.slice(length).join("/")}`), depth + 1);
  }
  const plain = `/${parts.join("/")}`;
  const exists =
    plain in tree || plain === "/" || Object.keys(tree).some((key) => key.startsWith(`${plain}/`));
  return exists ? plain : undefined;
}

function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function describe(entry: FakeFile | undefined): FileFacts {
  const given = typeof entry === "object" && "facts" in entry ? entry.facts : {};
  return {
    kind: entry === undefined ? "directory" : "file",
    sizeBytes: sizeOf(entry),
    mode: entry === undefined ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    modifiedMs: 0,
    ...given,
  };
}

function sizeOf(entry: FakeFile | undefined): number {
  if (typeof entry === "string") return Buffer.byteLength(entry);
  return typeof entry === "object" && "bytes" in entry ? entry.bytes.length : 0;
}

const accessBits = { read: 4, write: 2, execute: 1 };

function permits(facts: FileFacts | undefined, uid: number, bits: number): boolean {
  if (facts === undefined) return false;
  if (uid === 0) return true;
  const granted = facts.uid === uid ? facts.mode >> 6 : facts.mode;
  return (granted & bits) === bits;
}

function findProgram(
  tree: Readonly<Record<string, FakeFile>>,
  program: string,
  path: string,
): string | undefined {
  const candidates = program.includes("/")
    ? [program]
    : path.split(":").map((folder) => `${folder}/${program}`);
  return candidates.find((candidate) => resolveLinks(tree, candidate) !== undefined);
}

function refuse(what: string): () => never {
  return () => {
    throw new DryRunViolation(`${what} was called in a dry run`);
  };
}
