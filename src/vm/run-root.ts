import { type QlaunchError, refusal } from "../errors/index.ts";
import type { RunPlan } from "../plan/types.ts";
import { dirname, type FileFacts, isAbsolute, join, resolve, type System } from "../system/index.ts";

/** Where a VM's files are. */
export interface Places {
  /** Ours alone: the record, the profile, the plan, QEMU's log and the QMP transcript. */
  readonly directory: string;
  /** The folder that QEMU itself may write to; it belongs to the user that QEMU runs as. */
  readonly qemuDirectory: string;
  readonly pidFile: string;
  /** In our own folder: QEMU gets it as an open descriptor, and cannot put a link in its place. */
  readonly logFile: string;
  readonly qmpSocket: string;
  readonly monitorSocket: string;
}

/** sun_path has 108 bytes, the last one a NUL. @see https://man7.org/linux/man-pages/man7/unix.7.html */
export const socketPathLimitBytes = 107;

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Whether a text can be the name of a VM; what cannot never becomes part of a path. */
export function isVmName(name: string): boolean {
  return namePattern.test(name);
}

/**
 * The folder that holds the run directories of this user's VMs: $QLAUNCH_RUN_DIR, else /run/qlaunch for root, else
 * $XDG_RUNTIME_DIR/qlaunch. Looks at nothing and makes nothing.
 * @throws QlaunchError RUN_DIRECTORY
 */
export function runRoot(system: System): string {
  const { uid, environment, workingDirectory } = system.user;
  const given = environment.QLAUNCH_RUN_DIR;
  if (given) return resolve(workingDirectory, given);
  if (uid === 0) return "/run/qlaunch";
  const runtime = environment.XDG_RUNTIME_DIR;
  if (runtime && isAbsolute(runtime)) return join(runtime, "qlaunch");
  throw refusal("RUN_DIRECTORY", {
    found: "neither QLAUNCH_RUN_DIR nor XDG_RUNTIME_DIR is set",
    needed: "a folder of your own for the sockets and records of running VMs",
    fix: "log in through a session that sets XDG_RUNTIME_DIR, or set QLAUNCH_RUN_DIR to a folder that only you can write",
  });
}

export function placesFor(root: string, name: string): Places {
  const directory = join(root, name);
  const qemuDirectory = join(directory, "qemu");
  return {
    directory,
    qemuDirectory,
    pidFile: join(qemuDirectory, "qemu.pid"),
    logFile: join(directory, "qemu.log"),
    qmpSocket: join(qemuDirectory, "qmp.sock"),
    monitorSocket: join(qemuDirectory, "monitor.sock"),
  };
}

/** Every socket of a VM. */
export function runSockets(places: Places, run: Pick<RunPlan, "consoles" | "helpers">): string[] {
  return [
    places.qmpSocket,
    places.monitorSocket,
    ...[...run.consoles, ...run.helpers].map(({ socket }) => socket),
  ];
}

/** Refuses socket paths that the kernel would refuse later, in the middle of a start. */
export function checkSocketPaths(sockets: readonly string[]): void {
  const longest = sockets.reduce((a, b) => (Buffer.byteLength(b) > Buffer.byteLength(a) ? b : a), "");
  const bytes = Buffer.byteLength(longest);
  if (bytes <= socketPathLimitBytes) return;
  throw refusal("RUN_DIRECTORY", {
    found: `the socket path ${longest} has ${bytes} bytes`,
    needed: `${socketPathLimitBytes} bytes at most: a limit of unix sockets`,
    fix: `set QLAUNCH_RUN_DIR to a path that is at least ${bytes - socketPathLimitBytes} bytes shorter, or give the VM a shorter name`,
  });
}

/** Makes the run root when it is absent, and refuses one that others could change. @throws QlaunchError RUN_DIRECTORY */
export function ensureRunRoot(system: System, root: string): void {
  const { files, user } = system;
  checkAncestors(system, root);
  if (files.facts(root, { followLinks: false }) === undefined) {
    if (files.facts(dirname(root))?.kind !== "directory") {
      throw refusal("RUN_DIRECTORY", {
        found: `${dirname(root)} is no folder`,
        needed: "an existing folder to make the run directory in",
        fix: `mkdir -p ${dirname(root)}`,
      });
    }
    // QEMU under another user passes through root's folder to reach its own below.
    makeUnlessThere(system, root, user.uid === 0 ? 0o711 : 0o700);
  }
  checkOwnFolder(system, root);
}

/** Refuses a folder that is a link, belongs to somebody else or can be written by others. */
export function checkOwnFolder(system: System, path: string): void {
  const facts = system.files.facts(path, { followLinks: false });
  const problem = facts && describeForeign(facts, system.user.uid);
  if (problem === undefined) return;
  throw refusal("RUN_DIRECTORY", {
    found: `${path} ${problem.found}`,
    needed: "a folder of your own that nobody else can write",
    fix: problem.fix(path),
  });
}

function describeForeign(
  facts: FileFacts,
  uid: number,
): { found: string; fix: (path: string) => string } | undefined {
  if (facts.kind !== "directory") {
    return {
      found: facts.kind === "link" ? "is a symbolic link" : `is a ${facts.kind}, not a folder`,
      fix: (path) => `remove ${path}, or set QLAUNCH_RUN_DIR to another folder`,
    };
  }
  if (facts.uid !== uid) {
    return {
      found: `belongs to user ${facts.uid}, not to you (${uid})`,
      fix: (path) => `find out who made ${path}, then remove it, or set QLAUNCH_RUN_DIR to another folder`,
    };
  }
  if ((facts.mode & 0o022) !== 0) {
    return {
      found: `can be written by others (mode ${facts.mode.toString(8).padStart(4, "0")})`,
      fix: (path) => `look what others put into ${path}, then: chmod go-w ${path}`,
    };
  }
  return undefined;
}

/** A folder above that anyone may write, without the sticky bit, lets anyone put another run directory in place. */
function checkAncestors(system: System, root: string): void {
  for (let path = dirname(root); path !== dirname(path); path = dirname(path)) {
    const facts = system.files.facts(path);
    if (facts === undefined || (facts.mode & 0o002) === 0 || (facts.mode & 0o1000) !== 0) continue;
    throw refusal("RUN_DIRECTORY", {
      found: `${path}, which holds the run directory, can be written by everyone`,
      needed: "folders above it that others cannot change",
      fix: `chmod o-w ${path} (or give it the sticky bit), or set QLAUNCH_RUN_DIR to another folder`,
    });
  }
}

function makeUnlessThere(system: System, path: string, mode: number): void {
  try {
    system.files.makeDirectory(path, mode);
  } catch (error) {
    // Another command may have made it in between; the check that follows looks at what is there.
    if (system.files.facts(path, { followLinks: false }) === undefined) throw cannotMake(path, error);
  }
}

function cannotMake(path: string, error: unknown): QlaunchError {
  return refusal(
    "RUN_DIRECTORY",
    {
      found: `${path} cannot be made`,
      needed: "a folder for the sockets and records of running VMs",
      fix: "set QLAUNCH_RUN_DIR to a folder that you can write",
      detail: error instanceof Error ? error.message : String(error),
    },
    { cause: error },
  );
}
