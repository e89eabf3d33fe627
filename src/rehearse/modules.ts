/** What a kernel's module folder says of itself, in the form of depmod's and the kernel build's files. */
export interface ModuleIndex {
  /** Text of modules.dep: "path: path path ...", what is needed last comes last. */
  readonly dep: string;
  /** Text of modules.builtin: a path a line. */
  readonly builtin: string;
}

/**
 * Files of modules with all that they need, what is needed first: the order of loading.
 * @returns paths relative to the module folder, and the names that the kernel has neither as a module nor built in
 * @see https://man7.org/linux/man-pages/man5/modules.dep.5.html
 */
export function moduleFiles(
  { dep, builtin }: ModuleIndex,
  names: readonly string[],
): { files: string[]; missing: string[] } {
  const lines = dep.split("\n").flatMap((line) => {
    const [file = "", needed = ""] = line.split(":");
    return file === "" ? [] : [{ file, needed: needed.split(" ").filter(Boolean) }];
  });
  const byName = new Map(lines.map((line) => [moduleName(line.file), line]));
  const inKernel = new Set(builtin.split("\n").filter(Boolean).map(moduleName));
  const files = new Set<string>();
  const missing: string[] = [];
  for (const name of names) {
    const line = byName.get(moduleName(name));
    if (line) for (const file of [...line.needed.reverse(), line.file]) files.add(file);
    else if (!inKernel.has(moduleName(name))) missing.push(name);
  }
  return { files: [...files], missing };
}

/** "kvm_amd" of "kernel/arch/x86/kvm/kvm-amd.ko.xz": the kernel takes both signs for one. */
export function moduleName(path: string): string {
  const base = path.slice(path.lastIndexOf("/") + 1);
  return base.replace(/\.ko(\.\w+)?$/, "").replaceAll("-", "_");
}

/** The same path without a compression's ending. */
export function unpackedPath(path: string): string {
  return path.replace(/(\.ko)\.\w+$/, "$1");
}

/** modules.dep and modules.alias for these files alone, unpacked, as a loader of modules reads them. */
export function partialIndex(
  dep: string,
  alias: string,
  files: readonly string[],
): { dep: string; alias: string } {
  const kept = new Set(files);
  const names = new Set(files.map(moduleName));
  const lines = dep.split("\n").filter((line) => kept.has(line.slice(0, line.indexOf(":"))));
  return {
    dep: text(lines.map((line) => line.replace(/\.ko\.\w+/g, ".ko"))),
    alias: text(alias.split("\n").filter((line) => names.has(moduleName(line.split(" ").at(-1) ?? "")))),
  };
}

const text = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join("");
