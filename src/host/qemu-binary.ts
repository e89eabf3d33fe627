import { refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";

/** A QEMU program, and what tells it from the one that an upgrade puts in its place. */
export interface QemuBinary {
  /** What is started. Absolute. */
  readonly path: string;
  readonly identity: QemuIdentity;
}

export interface QemuIdentity {
  readonly realPath: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** When the folders of QEMU's loadable modules last changed: a package with more devices leaves the program alone. */
  readonly modulesModifiedMs: readonly number[];
}

/** Looked for when nobody names a program: upstream's name, then RHEL's and older Debian's. */
const usualPrograms = ["qemu-system-x86_64", "/usr/libexec/qemu-kvm", "/usr/bin/kvm"];

/** Debian's, Fedora's and upstream's places. */
const moduleFolders = ["/usr/lib/x86_64-linux-gnu/qemu", "/usr/lib64/qemu", "/usr/lib/qemu"];

/**
 * Finds the QEMU to use: the one asked for, else $QLAUNCH_QEMU, else the usual ones. A name that was given and is
 * wrong is never passed over in silence.
 * @throws QlaunchError QEMU_ABSENT
 */
export function findQemu(system: System, asked?: string | undefined): QemuBinary {
  const { QLAUNCH_QEMU: fromEnvironment } = system.user.environment;
  if (asked !== undefined) return locate(system, asked) ?? refuseNamed(asked, "asked for");
  if (fromEnvironment)
    return locate(system, fromEnvironment) ?? refuseNamed(fromEnvironment, "in $QLAUNCH_QEMU");
  for (const program of usualPrograms) {
    const binary = locate(system, program);
    if (binary !== undefined) return binary;
  }
  throw refusal("QEMU_ABSENT", {
    found: `none of ${usualPrograms.join(", ")}`,
    needed: "a QEMU for x86_64, 7.2 or newer",
    fix: "install it (Debian: apt-get install qemu-system-x86; Fedora: dnf install qemu-kvm), or name the program in $QLAUNCH_QEMU",
  });
}

function locate(system: System, program: string): QemuBinary | undefined {
  const isRelativePath = program.includes("/") && !program.startsWith("/");
  const path = system.processes.find(isRelativePath ? `${system.user.workingDirectory}/${program}` : program);
  const realPath = path === undefined ? undefined : system.files.realPath(path);
  const facts = realPath === undefined ? undefined : system.files.facts(realPath);
  if (path === undefined || realPath === undefined || facts === undefined) return undefined;
  const { sizeBytes, modifiedMs } = facts;
  const modulesModifiedMs = moduleFolders.map((folder) => system.files.facts(folder)?.modifiedMs ?? 0);
  return { path, identity: { realPath, sizeBytes, modifiedMs, modulesModifiedMs } };
}

function refuseNamed(program: string, how: string): never {
  throw refusal("QEMU_ABSENT", {
    found: `${program}, ${how}, is no program that can be run`,
    needed: "the path or name of a QEMU for x86_64, 7.2 or newer",
    fix: "correct the name, or leave it out to use the QEMU in PATH",
  });
}
