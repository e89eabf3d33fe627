import { type Files, SystemError } from "../system/index.ts";
import { readCpus, readOnlineCpus } from "./cpus.ts";
import { readNodes } from "./nodes.ts";
import { readPci } from "./pci.ts";
import { readProcessor } from "./processor.ts";
import type { Host } from "./topology.ts";

/**
 * A host from a folder with its /proc and /sys, such as `hwloc-gather-topology --io` makes. Such a folder has no modules
 * and no mounts: vfio-pci is counted on, and what the host needs its devices for stays unknown.
 * @throws SystemError when the folder has no /proc/cpuinfo or no list of CPUs
 * @see https://www.open-mpi.org/projects/hwloc/doc/
 */
export function readGatheredHost(here: Files, folder: string): Host {
  const files = filesBelow(here, folder);
  const { processor, virtualization } = readProcessor(files);
  const nodes = readNodes(files, readOnlineCpus(files));
  const { pci, iommu } = readPci(files);
  return {
    version: 1,
    processor,
    cpus: readCpus(files, nodes),
    nodes,
    kvm:
      virtualization === undefined
        ? { usable: false, reason: "the CPU shows neither vmx nor svm in /proc/cpuinfo" }
        : { usable: false, reason: "not tried", untried: true },
    pci,
    iommu: iommu.vfioPci === "absent" ? { ...iommu, vfioPci: "available" } : iommu,
  };
}

/** The files of a folder as if it were the root. No link in it leads out of it, and nothing is written. */
function filesBelow(files: Files, folder: string): Files {
  const root = (files.realPath(folder) ?? folder).replace(/\/$/, "");
  const find = (path: string): string | undefined => {
    const real = files.realPath(`${root}${path}`);
    return real === root || real?.startsWith(`${root}/`) ? real : undefined;
  };
  const open = (path: string): string => {
    const real = find(path);
    if (real === undefined) throw new SystemError("ENOENT", `no ${path} in ${folder}`);
    return real;
  };
  const ifFound = <Value>(path: string, use: (real: string) => Value | undefined): Value | undefined => {
    const real = find(path);
    return real === undefined ? undefined : use(real);
  };
  const refuse = (): never => {
    throw new SystemError("EROFS", `${folder} is only read`);
  };
  return {
    readText: (path) => files.readText(open(path)),
    tryReadText: (path) => ifFound(path, files.tryReadText),
    tryReadTextAside: async (path) => {
      const real = find(path);
      return real === undefined ? undefined : files.tryReadTextAside(real);
    },
    findLine: (path, isIt) => ifFound(path, (real) => files.findLine(real, isIt)),
    findLineFrom: (path, beginning, leastBytes) =>
      ifFound(path, (real) => files.findLineFrom(real, beginning, leastBytes)),
    readStart: (path, bytes) => files.readStart(open(path), bytes),
    tryReadTextStart: (path, bytes) => ifFound(path, (real) => files.tryReadTextStart(real, bytes)),
    readPart: (path, offset, bytes) => files.readPart(open(path), offset, bytes),
    readFrom: (path, offset) => files.readFrom(open(path), offset),
    list: (path) => ifFound(path, files.list),
    readLink: (path) => {
      const cut = path.lastIndexOf("/");
      return ifFound(path.slice(0, cut), (parent) => files.readLink(`${parent}${path.slice(cut)}`));
    },
    realPath: (path) => find(path)?.slice(root.length),
    facts: (path, options) => ifFound(path, (real) => files.facts(real, options)),
    allows: (path, access) => ifFound(path, (real) => files.allows(real, access)) ?? false,
    opens: () => false,
    writeAtomically: refuse,
    write: refuse,
    writePart: refuse,
    openAppend: refuse,
    makeDirectory: refuse,
    changeOwner: refuse,
    changeMode: refuse,
    copy: refuse,
    remove: refuse,
  };
}
