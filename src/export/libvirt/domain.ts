import type { Plan } from "../../plan/types.ts";
import type { Profile } from "../../profile/index.ts";
import { formatIdSet } from "../../units/index.ts";
import type { PlannedTree } from "./controllers.ts";
import { writeDevices } from "./devices.ts";
import { iothreadNumbers } from "./disks.ts";
import { writeOverrides } from "./places.ts";
import { writeClock, writeCpu, writeFeatures, writeMemory, writeVcpus } from "./processors.ts";
import { type Element, element, textElement } from "./xml.ts";

const qemuNamespace = "http://libvirt.org/schemas/domain/qemu/1.0";

/**
 * A domain of libvirt's for the guest of a plan.
 * @param profile with everything written out that the plan decided
 * @param metadata what libvirt has no element for
 * @see https://libvirt.org/formatdomain.html
 */
export function writeDomain(profile: Profile, plan: Plan, tree: PlannedTree, metadata: Element): Element {
  const passedIds = profile.passthrough.devices.flatMap(({ id }) => id ?? []);
  const overrides = writeOverrides(tree, passedIds);
  const commandline = writeCommandline(profile, plan);
  return element(
    "domain",
    {
      type: profile.machine.accel === "tcg" ? "qemu" : "kvm",
      ...(overrides || commandline ? { "xmlns:qemu": qemuNamespace } : {}),
    },
    textElement("name", profile.name),
    profile.uuid === undefined ? undefined : textElement("uuid", profile.uuid),
    profile.description === undefined ? undefined : textElement("description", profile.description),
    metadata,
    ...writeMemory(profile),
    ...writeVcpus(profile, plan),
    profile.iothreads.length > 0 ? textElement("iothreads", profile.iothreads.length) : undefined,
    writePins(profile, plan),
    writeNumatune(plan),
    ...writeSysinfo(profile),
    writeBoot(profile),
    writeFeatures(profile, plan),
    writeCpu(profile, plan),
    writeClock(profile),
    writeDevices(profile, plan, tree),
    writeOwner(profile),
    commandline,
    overrides,
  );
}

function writePins({ iothreads }: Profile, { placement }: Plan): Element | undefined {
  const numbers = iothreadNumbers(iothreads);
  const pin = (name: string, of: Element["attributes"], cpus: readonly number[] | undefined) =>
    cpus === undefined ? [] : [element(name, { ...of, cpuset: formatIdSet(cpus) })];
  const parts = [
    ...placement.vcpus.flatMap(({ id, hostCpus }) => pin("vcpupin", { vcpu: id }, hostCpus)),
    ...pin("emulatorpin", {}, placement.emulator),
    ...placement.iothreads.flatMap(({ id, hostCpus }) =>
      pin("iothreadpin", { iothread: numbers.get(id) }, hostCpus),
    ),
  ];
  return parts.length > 0 ? element("cputune", {}, ...parts) : undefined;
}

const modes = { bind: "strict", preferred: "preferred", interleave: "interleave" } as const;

function writeNumatune({ placement: { cells } }: Plan): Element | undefined {
  const parts = cells.flatMap(({ id, hostNodes, policy = "bind" }) =>
    hostNodes === undefined
      ? []
      : element("memnode", { cellid: id, mode: modes[policy], nodeset: formatIdSet(hostNodes) }),
  );
  return parts.length > 0 ? element("numatune", {}, ...parts) : undefined;
}

function writeBoot({ machine, kernel }: Profile): Element {
  const uefi = typeof machine.firmware === "object" ? machine.firmware.ovmf : undefined;
  return element(
    "os",
    {},
    textElement("type", "hvm", { arch: "x86_64", machine: machine.type }),
    uefi?.code === undefined
      ? undefined
      : textElement("loader", uefi.code, {
          readonly: "yes",
          secure: uefi.secureBoot ? "yes" : "no",
          type: "pflash",
        }),
    uefi?.vars === undefined ? undefined : element("nvram", { template: uefi.vars }),
    kernel && textElement("kernel", kernel.image),
    kernel?.initrd === undefined ? undefined : textElement("initrd", kernel.initrd),
    kernel && kernel.cmdline !== "" ? textElement("cmdline", kernel.cmdline) : undefined,
    systemStrings(machine).length + oemStrings(machine).length > 0
      ? element("smbios", { mode: "sysinfo" })
      : undefined,
  );
}

type Machine = Profile["machine"];

function systemStrings({ smbios }: Machine): [string, string][] {
  const { oemStrings: _, ...system } = smbios ?? { oemStrings: [] };
  return Object.entries(system).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]));
}

function oemStrings({ smbios }: Machine): readonly string[] {
  return smbios?.oemStrings ?? [];
}

/** What libvirt keeps for itself among the names of the firmware's device. */
const reserved = /^opt\/(ovmf|org\.qemu)\//;

/** Whether entries have to go by the command line: libvirt hands commas to QEMU as they are, which ends the text there. */
function arePassedOn({ fwCfg }: Profile): boolean {
  return fwCfg.some(
    ({ name, string = "", file = "" }) => reserved.test(name) || `${name}${string}${file}`.includes(","),
  );
}

/** What the guest reads of its system, and entries of the firmware's device. */
function writeSysinfo(profile: Profile): Element[] {
  const { machine, fwCfg } = profile;
  const [system, oem] = [systemStrings(machine), oemStrings(machine)];
  const smbios = [
    system.length > 0
      ? element("system", {}, ...system.map(([name, text]) => textElement("entry", text, { name })))
      : undefined,
    oem.length > 0 ? element("oemStrings", {}, ...oem.map((text) => textElement("entry", text))) : undefined,
  ];
  const entries = (arePassedOn(profile) ? [] : fwCfg).map(({ name, string, file }) =>
    file === undefined ? textElement("entry", string ?? "", { name }) : element("entry", { name, file }),
  );
  return [
    ...(system.length + oem.length > 0 ? [element("sysinfo", { type: "smbios" }, ...smbios)] : []),
    ...(entries.length > 0 ? [element("sysinfo", { type: "fwcfg" }, ...entries)] : []),
  ];
}

/** QEMU's user and group. Files keep their owners, as they do without libvirt. */
function writeOwner({ sandbox: { user, group } }: Profile): Element | undefined {
  if (user === undefined || group === undefined) return undefined;
  const label = textElement("label", `${user}:${group}`);
  return element("seclabel", { type: "static", model: "dac", relabel: "no" }, label);
}

/** Arguments that libvirt passes on: entries of the firmware's device that it cannot write, then the profile's own. */
function writeCommandline(profile: Profile, plan: Plan): Element | undefined {
  const isPassed = arePassedOn(profile);
  const entries = plan.options.flatMap((option) => {
    if (option.option !== "fw_cfg") return [];
    // The planner's own are for firmware, among what libvirt keeps for itself.
    if (!isPassed && !reserved.test(String(option.properties.name))) return [];
    const given = Object.entries(option.properties).filter(([, value]) => value !== undefined);
    return ["-fw_cfg", given.map(([key, value]) => `${key}=${escapedComma(String(value))}`).join(",")];
  });
  const all = [...entries, ...profile.extraArgs];
  if (all.length === 0) return undefined;
  return element("qemu:commandline", {}, ...all.map((value) => element("qemu:arg", { value })));
}

/** QEMU reads two commas as one of the text. */
function escapedComma(text: string): string {
  return text.replaceAll(",", ",,");
}
