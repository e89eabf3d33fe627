import type { Diagnostic } from "../../errors/index.ts";
import { readPciTree } from "./addresses.ts";
import { readBoot, readClock, readFeatures } from "./boot.ts";
import type { ImportContext, ImportHost, ProfileDraft } from "./context.ts";
import { readCpus } from "./cpus.ts";
import { readOtherDevices } from "./devices.ts";
import { readDisks } from "./disks.ts";
import { readExtraArguments } from "./extra.ts";
import { readGeneral, readMemory } from "./general.ts";
import { readHostDevices } from "./host-devices.ts";
import { readInterfaces } from "./interfaces.ts";
import { withoutRunTime } from "./live.ts";
import { Overrides } from "./overrides.ts";
import { OwnWords } from "./own.ts";
import { readPlacement } from "./pinning.ts";
import { Reading, Report, type ReportLine } from "./reading.ts";
import { refusalsOf } from "./refusals.ts";
import { readXml } from "./xml.ts";

export type { ImportHost, ProfileDraft } from "./context.ts";
export { keyOf, ownNamespace } from "./own.ts";
export { mustShare } from "./pinning.ts";
export type { ReportLine, Verdict } from "./reading.ts";
export { unsaidOf, unwritable } from "./unsaid.ts";

export interface ImportOptions {
  /** The host that it shall run on. Default: not known; what the domain leaves open stays so. */
  readonly host?: ImportHost | undefined;
  /** Let the planner lay out the PCI devices, instead of keeping the guest's addresses. Default false. */
  readonly replan?: boolean;
  /** The document is of a running domain: what libvirt adds while it runs is left out. Default false. */
  readonly live?: boolean;
}

export type Imported =
  | { readonly ok: true; readonly profile: ProfileDraft; readonly report: readonly ReportLine[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * The profile of a libvirt domain, and what became of each part of it.
 *
 * @param text the domain's XML, as virsh dumpxml prints it
 * @see https://libvirt.org/formatdomain.html
 */
export function importDomain(
  text: string,
  { host, replan = false, live = false }: ImportOptions = {},
): Imported {
  const document = readXml(text);
  if ("found" in document) return failed(document, document.found);
  const stripped = live ? withoutRunTime(document) : undefined;
  const root = stripped?.domain ?? document;
  if (root.name !== "domain") {
    const isStatus = root.name === "domstatus" && !live;
    const fix = isStatus ? "add --live, for what libvirtd keeps of a running domain" : undefined;
    return failed(document, `a document of "${root.name}"`, fix);
  }
  const report = new Report();
  for (const part of stripped?.removed ?? []) report.add({ verdict: "kept", note: "", ...part });
  const domain = new Reading(root, report);
  const refusals = refusalsOf(domain);
  if (refusals.length > 0) return { ok: false, diagnostics: refusals };
  const own = new OwnWords(domain);
  const names = own.iothreadNames();
  const context: ImportContext = {
    profile: { version: 1, name: "imported", cpus: { boot: 1 }, memory: { size: 0 } },
    host,
    replan,
    overrides: new Overrides(domain),
    isOurs: own.isThere(),
    iothreadName: (id) => names.get(id) ?? `iothread${id}`,
  };
  readGeneral(domain, context);
  readMemory(domain, context);
  readCpus(domain, context);
  if (context.profile.memory.size === 0) {
    const where = domain.one("memory")?.node ?? root;
    return failed(where, "a domain without a size of its memory", "write a memory element");
  }
  const order = readBoot(domain, context);
  readFeatures(domain, context);
  readClock(domain, context);
  const devices = domain.one("devices");
  const buses = readPciTree(devices, context);
  readDisks(devices, context, buses, order);
  readInterfaces(devices, context, buses, order);
  readHostDevices(devices, context, buses);
  readOtherDevices(devices, context, buses);
  readPlacement(domain, context);
  readExtraArguments(domain, context);
  const profile = own.applyTo(context.profile);
  context.overrides.finish();
  domain.finish();
  return { ok: true, profile: inOrder(profile), report: report.lines() };
}

function failed(
  { line, column }: { readonly line: number; readonly column: number },
  found: string,
  fix = "give what `virsh dumpxml NAME` prints",
): Imported {
  return {
    ok: false,
    diagnostics: [
      {
        code: "IMPORT_XML",
        severity: "error",
        path: [],
        found: `line ${line}, column ${column}: ${found}`,
        needed: "the XML of a libvirt domain",
        fix,
      },
    ],
  };
}

/** As people write profiles: what it is first, devices last. Lists without entries are left out. */
const order: readonly (keyof ProfileDraft)[] = [
  ...([
    "version",
    "name",
    "description",
    "uuid",
    "machine",
    "cpus",
    "memory",
    "numa",
    "pinning",
    "iothreads",
  ] as const),
  ...(["pcie", "passthrough", "disks", "networks", "filesystems", "consoles", "guestAgent", "rng"] as const),
];

function inOrder(profile: ProfileDraft): ProfileDraft {
  const keys = Object.keys(profile) as (keyof ProfileDraft)[];
  const place = (key: keyof ProfileDraft) => (order.includes(key) ? order.indexOf(key) : order.length);
  const sorted = keys.sort((a, b) => place(a) - place(b));
  return Object.fromEntries(
    sorted
      .map((key) => [key, profile[key]] as const)
      .filter(([key, value]) => !(Array.isArray(value) && value.length === 0 && key !== "consoles")),
  ) as unknown as ProfileDraft;
}
