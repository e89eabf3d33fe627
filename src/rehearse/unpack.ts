import { gunzipSync } from "node:zlib";
import { refusal } from "../errors/index.ts";
import { join, type System } from "../system/index.ts";

const programs = {
  xz: { name: "xz", package: "xz-utils" },
  zst: { name: "zstd", package: "zstd" },
} as const;

/** A packed file, or packed bytes; the name's ending says how it is packed. */
export interface Packed {
  readonly name: string;
  /** Where it is, or what is in it. */
  readonly content: string | Uint8Array;
}

/**
 * What is in packed files, in their order. Node 20 knows gzip alone, so xz and zstd work on copies, all at once.
 * @throws QlaunchError HOST_PROGRAM_MISSING, REHEARSE_IMAGES
 */
export async function unpackAll(system: System, packed: readonly Packed[]): Promise<Buffer[]> {
  const { files } = system;
  const folder = `${system.user.environment.TMPDIR || "/tmp"}/qlaunch-${crypto.randomUUID()}`;
  files.makeDirectory(folder, 0o700);
  try {
    const copies = packed.map(({ name, content }, index) => {
      const path = join(folder, `${index}${/\.(xz|zst|gz)$/.exec(name)?.[0] ?? ""}`);
      if (typeof content === "string") files.copy(content, path, 0o600);
      else files.writeAtomically(path, content);
      return path;
    });
    for (const kind of ["xz", "zst"] as const) await unpackWith(system, kind, copies);
    return copies.map((path) => {
      if (path.endsWith(".gz")) return gunzipSync(files.readFrom(path, 0));
      return files.readFrom(path.replace(/\.(xz|zst)$/, ""), 0);
    });
  } finally {
    files.remove(folder);
  }
}

async function unpackWith(
  system: System,
  kind: keyof typeof programs,
  copies: readonly string[],
): Promise<void> {
  const own = copies.filter((path) => path.endsWith(`.${kind}`));
  if (own.length === 0) return;
  const { name, package: debian } = programs[kind];
  const program = needProgram(system, name, debian);
  const { exitCode, stderr } = await system.processes.run(program, ["-d", "-q", "-f", ...own]);
  if (exitCode === 0) return;
  throw refusal("REHEARSE_IMAGES", {
    found: `${name} could not unpack the kernel or its modules`,
    needed: "whole files",
    fix: "fetch the kernel's package again",
    detail: stderr,
  });
}

/** @throws QlaunchError HOST_PROGRAM_MISSING */
export function needProgram(system: System, name: string, debian: string): string {
  const path = system.processes.find(name);
  if (path !== undefined) return path;
  throw refusal("HOST_PROGRAM_MISSING", {
    found: `${name} is not in PATH`,
    needed: "it makes what a rehearsal boots",
    fix: `install it (Debian: apt-get install ${debian})`,
  });
}
