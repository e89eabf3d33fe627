import { QlaunchError, refusal } from "../errors/index.ts";
import type { System } from "../system/index.ts";
import { type Cache, openCache } from "./cache.ts";
import { readCpus, readOnlineCpus } from "./cpus.ts";
import { cachedKvm, tryKvm, whyNotKvm } from "./kvm.ts";
import { readNodes } from "./nodes.ts";
import { readPci } from "./pci.ts";
import { type ProcessorReading, readProcessor } from "./processor.ts";
import { findQemu, type QemuBinary } from "./qemu-binary.ts";
import { cachedQemuFacts, probeQemu } from "./qemu-probe.ts";
import { readShare } from "./share.ts";
import type { Host, KvmFacts, QemuFacts } from "./topology.ts";

/** What a command needs beyond CPUs, nodes and processor, which cost a few milliseconds and are always read. */
export interface HostNeeds {
  /** Whether KVM works, by a trial once a boot. Default false: `kvm` then says that nobody looked. */
  readonly kvm?: boolean;
  /** What QEMU can do, by a question once a QEMU. "if-present" leaves it out where there is none. Default "no". */
  readonly qemu?: "required" | "if-present" | "no";
  /** PCI functions and the IOMMU: a tenth of a millisecond a function. Default false: both are absent. */
  readonly pci?: boolean;
}

export interface DiscoverOptions {
  /** A path or name, as the user gave it. Default: $QLAUNCH_QEMU, then the usual programs. */
  readonly qemu?: string | undefined;
  readonly need?: HostNeeds;
  /** False: use what is known from before, start nothing and write nothing. Default true. */
  readonly mayStart?: boolean;
}

/** The oldest QEMU whose command line and monitor the goldens are checked against. */
const oldestQemu = { major: 7, minor: 2 };

/**
 * Reads the host that this program runs on.
 * @throws QlaunchError QEMU_ABSENT, QEMU_UNUSABLE, QEMU_TOO_OLD, when QEMU is required
 */
export async function discoverHost(system: System, options: DiscoverOptions = {}): Promise<Host> {
  const { need = {}, mayStart = true } = options;
  const { files } = system;
  const reading = readProcessor(files);
  const online = readOnlineCpus(files);
  const nodes = readNodes(files, online);
  const share = readShare(files, online, nodes);
  const search = lazily(() => ({ binary: findQemu(system, options.qemu), cache: openCache(system) }));
  // One after the other: a QEMU that cannot be used is refused before a guest is tried with it.
  const qemu =
    need.qemu === "required" || need.qemu === "if-present"
      ? await discoverQemu(system, search, mayStart, need.qemu === "required")
      : undefined;
  const kvm = need.kvm ? await discoverKvm(system, reading, search, mayStart) : notLookedAt;
  return {
    version: 1,
    processor: reading.processor,
    cpus: readCpus(files, nodes),
    nodes,
    ...(share === undefined ? {} : { share }),
    kvm,
    ...(qemu === undefined ? {} : { qemu }),
    ...(need.pci ? readPci(files) : {}),
  };
}

type Search = () => { binary: QemuBinary; cache: Cache };

const notLookedAt: KvmFacts = { usable: false, reason: "nobody looked" };

async function discoverKvm(
  system: System,
  reading: ProcessorReading,
  search: Search,
  mayStart: boolean,
): Promise<KvmFacts> {
  const reason = whyNotKvm(system, reading);
  if (reason !== undefined) return { usable: false, reason };
  let found: ReturnType<Search>;
  try {
    found = search();
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    return { usable: false, reason: "there is no QEMU to try it with" };
  }
  if (cachedKvm(system, found.cache, found.binary)) return { usable: true, reason: "" };
  if (!mayStart) return { usable: false, reason: "not tried since this machine started", untried: true };
  return tryKvm(system, found.cache, found.binary);
}

async function discoverQemu(
  system: System,
  search: Search,
  mayStart: boolean,
  required: boolean,
): Promise<QemuFacts | undefined> {
  try {
    const { binary, cache } = search();
    const known = cachedQemuFacts(cache, binary);
    if (known === undefined && !mayStart) return undefined;
    const facts = known ?? (await probeQemu(system, cache, binary));
    refuseOld(facts);
    return facts;
  } catch (error) {
    if (required || !(error instanceof QlaunchError)) throw error;
    return undefined;
  }
}

function refuseOld({ binary, version }: QemuFacts): void {
  const { major, minor, micro } = version;
  if (major > oldestQemu.major || (major === oldestQemu.major && minor >= oldestQemu.minor)) return;
  throw refusal("QEMU_TOO_OLD", {
    found: `${binary} is QEMU ${major}.${minor}.${micro}`,
    needed: `QEMU ${oldestQemu.major}.${oldestQemu.minor} or newer`,
    fix: "upgrade QEMU, or name a newer one in $QLAUNCH_QEMU",
  });
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
