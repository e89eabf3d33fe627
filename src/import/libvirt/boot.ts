import { type ImportContext, isOn, numberOf } from "./context.ts";
import type { Reading } from "./reading.ts";

/** Devices that the firmware tries, in order; devices with an order of their own come before. */
export type BootDevice = "hd" | "cdrom" | "network" | "fd";

/** Machine type, firmware, kernel and boot order. */
export function readBoot(domain: Reading, { profile }: ImportContext): readonly BootDevice[] {
  const os = domain.one("os");
  const type = os?.one("type");
  if (type?.attribute("arch") === "i686")
    type.dropAttribute("arch", "QEMU's x86_64 board takes its place, which runs 32-bit guests as well");
  type?.text();
  readMachine(type, profile);
  readFirmware(os, profile);
  readKernel(os, profile);
  const smbios = os?.one("smbios");
  const mode = smbios?.attribute("mode");
  if (mode === "host")
    smbios?.drop("write the strings of the host that the guest shall see into machine.smbios");
  const texts = domain.all("sysinfo").map((each) => ({ each, type: each.attribute("type") ?? "smbios" }));
  for (const { each, type } of texts) {
    if (type === "fwcfg") readFwCfg(each, profile);
    else if (mode === "sysinfo") readSysinfo(each, profile);
    else each.drop('the guest is not shown it: os/smbios does not say "sysinfo"');
  }
  os?.one("bootmenu")?.drop("the firmware asks nobody");
  os?.one("bios")?.drop("the firmware's messages are on the serial port already");
  return (os?.all("boot") ?? []).map((boot) => {
    const device = boot.attribute("dev") ?? "hd";
    if (device === "fd") boot.drop("a q35 has no floppy drive");
    return device as BootDevice;
  });
}

function readMachine(type: Reading | undefined, profile: ImportContext["profile"]): void {
  const machine = type?.attribute("machine") ?? "q35";
  if (machine === "q35" || /^pc-q35-\d/.test(machine)) {
    profile.machine = { ...profile.machine, type: machine };
  } else {
    type?.dropAttribute(
      "machine",
      `"${machine}" is not a q35: the guest finds another board, so use --replan and look at its network names; Windows may ask to be activated`,
    );
    profile.machine = { ...profile.machine, type: "q35" };
  }
}

function readFirmware(os: Reading | undefined, profile: ImportContext["profile"]): void {
  const loader = os?.one("loader");
  const nvram = os?.one("nvram");
  const kind = os?.attribute("firmware");
  const code = loader?.text();
  if (isOn(loader?.attribute("readonly")) === false)
    loader?.dropAttribute("readonly", "the guest cannot change the firmware's code, its variables alone");
  for (const each of [loader, nvram]) {
    const format = each?.attribute("format") ?? "raw";
    if (format !== "raw")
      each?.dropAttribute("format", `${format}: name a raw image, which "qemu-img convert -O raw" makes`);
  }
  const type = loader?.attribute("type");
  const wantsSecure = readFirmwareFeatures(os?.one("firmware"));
  const secure =
    wantsSecure || isOn(loader?.attribute("secure")) === true || (code ?? "").includes(".secboot.");
  const template = nvram?.attribute("template");
  const vars = nvram?.text();
  if (kind !== "efi" && type !== "pflash" && !/OVMF|edk2/i.test(code ?? "")) {
    if (code !== undefined) loader?.drop("a BIOS image of one's own: SeaBIOS is used");
    nvram?.drop("there is no UEFI to keep variables for");
    return;
  }
  if (vars !== undefined) {
    nvram?.drop(
      `${vars} stays libvirt's: the guest starts with new variables. To take its own along, copy the file and name the copy as machine.firmware.ovmf.vars`,
    );
  }
  profile.machine = {
    ...profile.machine,
    firmware: {
      ovmf: {
        ...(code === undefined ? {} : { code }),
        ...(template === undefined ? {} : { vars: template }),
        ...(secure ? { secureBoot: true } : {}),
      },
    },
  };
}

/** What libvirt looks for in the firmware that it chooses. @returns whether that is Secure Boot */
function readFirmwareFeatures(firmware: Reading | undefined): boolean {
  const features = firmware?.all("feature") ?? [];
  const isEnabled = (feature: Reading) => isOn(feature.attribute("enabled")) === true;
  const named = (name: string) => features.filter((feature) => feature.attribute("name") === name);
  const secure = [...named("secure-boot"), ...named("enrolled-keys")].some(isEnabled);
  for (const feature of named("enrolled-keys")) {
    if (secure && !isEnabled(feature))
      feature.drop("Secure Boot comes with keys: name a store without them as machine.firmware.ovmf.vars");
  }
  return secure;
}

function readKernel(os: Reading | undefined, profile: ImportContext["profile"]): void {
  const image = os?.one("kernel")?.text();
  const initrd = os?.one("initrd")?.text();
  const cmdline = os?.one("cmdline")?.text();
  if (image === undefined) return;
  profile.kernel = {
    image,
    ...(initrd === undefined ? {} : { initrd }),
    ...(cmdline === undefined ? {} : { cmdline }),
  };
}

/** Entries of the firmware configuration device. */
function readFwCfg(sysinfo: Reading, profile: ImportContext["profile"]): void {
  for (const entry of sysinfo.all("entry")) {
    const [name, file, string] = [entry.attribute("name"), entry.attribute("file"), entry.text()];
    const isOne = (file === undefined) !== (string === undefined);
    if (name === undefined || !isOne || !/^opt\/[\x21-\x7e]{1,51}$/.test(name)) {
      entry.drop('a name that starts with "opt/", and a text or a file, are needed');
      continue;
    }
    const entries = profile.fwCfg ?? [];
    profile.fwCfg = [...entries, { name, ...(file === undefined ? { string } : { file }) }];
  }
}

function readSysinfo(sysinfo: Reading, profile: ImportContext["profile"]): void {
  const known = ["manufacturer", "product", "version", "serial", "sku", "family"] as const;
  const smbios: Record<string, string> = {};
  for (const entry of sysinfo.one("system")?.all("entry") ?? []) {
    const name = known.find((key) => key === entry.attribute("name"));
    const text = entry.text();
    if (name !== undefined && text !== undefined) smbios[name] = text;
    else if (entry.attribute("name") === "uuid") entry.text();
    else entry.drop("an entry that machine.smbios does not have");
  }
  for (const part of ["bios", "baseBoard", "chassis"])
    sysinfo.one(part)?.drop("QEMU's own strings are shown");
  const oemStrings = (sysinfo.one("oemStrings")?.all("entry") ?? []).flatMap((entry) => entry.text() ?? []);
  if (Object.keys(smbios).length + oemStrings.length === 0) return;
  profile.machine = {
    ...profile.machine,
    smbios: { ...smbios, ...(oemStrings.length > 0 ? { oemStrings } : {}) },
  };
}

/** hv- properties by libvirt's names. */
const enlightenments = {
  relaxed: "hv-relaxed",
  vapic: "hv-vapic",
  vpindex: "hv-vpindex",
  runtime: "hv-runtime",
  synic: "hv-synic",
  stimer: "hv-stimer",
  reset: "hv-reset",
  frequencies: "hv-frequencies",
  reenlightenment: "hv-reenlightenment",
  tlbflush: "hv-tlbflush",
  ipi: "hv-ipi",
  evmcs: "hv-evmcs",
  avic: "hv-avic",
} as const;

/** Features of the machine. */
export function readFeatures(domain: Reading, { profile }: ImportContext): void {
  const features = domain.one("features");
  // Every q35 guest has these.
  for (const name of ["acpi", "apic", "pae"]) features?.one(name)?.keep();
  const at = features ?? domain;
  if (!features?.one("acpi"))
    at.improve("no acpi: the guest has ACPI all the same, by which it knows cells and hot-plug");
  const own: Record<string, boolean | number | string> = {};
  const eoi = isOn(features?.one("apic")?.attribute("eoi"));
  if (eoi !== undefined) own["kvm-pv-eoi"] = eoi;
  readHyperv(features?.one("hyperv"), own);
  const hidden = features?.one("kvm")?.one("hidden");
  if (isOn(hidden?.attribute("state")) === true) own.kvm = false;
  for (const name of ["hint-dedicated", "poll-control", "pv-ipi", "dirty-ring"]) {
    const feature = features?.one("kvm")?.one(name);
    if (isOn(feature?.attribute("state")) !== true) continue;
    if (name === "hint-dedicated") own["kvm-hint-dedicated"] = true;
    else if (name === "poll-control") own["kvm-poll-control"] = true;
    else feature?.drop("KVM's own default is used");
  }
  const pmu = isOn(features?.one("pmu")?.attribute("state"));
  if (pmu !== undefined) own.pmu = pmu;
  const vmport = isOn(features?.one("vmport")?.attribute("state"));
  if (vmport === true) features?.one("vmport")?.drop("VMware's port is off");
  else if (vmport === undefined)
    at.improve("no vmport: VMware's port, which QEMU's board has unless the features say no, is off");
  const smm = features?.one("smm");
  if (isOn(smm?.attribute("state")) === true && !secureBootOf(profile))
    smm?.drop("SMM is on with Secure Boot alone");
  else if (isOn(smm?.attribute("state")) === false) smm?.drop("SMM stays as QEMU's board has it");
  const ioapic = features?.one("ioapic")?.attribute("driver");
  if (ioapic === "qemu") features?.one("ioapic")?.keep();
  features?.one("vmcoreinfo")?.drop("dumps are of the guest's memory alone");
  if (Object.keys(own).length > 0) profile.cpus.features = { ...profile.cpus.features, ...own };
}

function secureBootOf({ machine }: ImportContext["profile"]): boolean {
  return typeof machine?.firmware === "object" && machine.firmware.ovmf.secureBoot === true;
}

function readHyperv(hyperv: Reading | undefined, own: Record<string, boolean | number | string>): void {
  const mode = hyperv?.attribute("mode");
  if (mode === "passthrough") own["hv-passthrough"] = true;
  for (const [name, property] of Object.entries(enlightenments)) {
    const element = hyperv?.one(name);
    if (isOn(element?.attribute("state")) === true) own[property] = true;
    const direct = element?.one("direct");
    if (name === "stimer" && isOn(direct?.attribute("state")) === true) own["hv-stimer-direct"] = true;
    else if (name !== "stimer") direct?.drop("not a feature of its own here");
  }
  if (mode !== undefined && !["custom", "passthrough"].includes(mode))
    hyperv?.dropAttribute("mode", `"${mode}": each enlightenment as it is written`);
  const spinlocks = hyperv?.one("spinlocks");
  if (isOn(spinlocks?.attribute("state")) === true) {
    own["hv-spinlocks"] = (spinlocks && numberOf(spinlocks, "retries")) ?? 8191;
  }
  const vendor = hyperv?.one("vendor_id");
  const vendorId = vendor?.attribute("value");
  if (isOn(vendor?.attribute("state")) !== true) return;
  if (vendorId === undefined) vendor?.drop("a vendor without a value");
  else own["hv-vendor-id"] = vendorId;
}

/** Of the year 9999, after which times have more digits. */
const lastSecond = 253_402_300_799;

/** The guest's clock. */
export function readClock(domain: Reading, { profile }: ImportContext): void {
  const clock = domain.one("clock");
  const offset = clock?.attribute("offset") ?? "utc";
  const rtc: { base?: string; driftFix?: "slew" } = {};
  let hpet: boolean | undefined;
  const start = clock && numberOf(clock, "start");
  if (offset === "localtime") rtc.base = "localtime";
  else if (offset === "absolute" && start !== undefined && start <= lastSecond) {
    rtc.base = new Date(start * 1000).toISOString().slice(0, 19);
  } else if (offset !== "utc")
    clock?.drop(`offset ${offset}: the clock starts with UTC; write machine.rtc.base for another time`);
  for (const timer of clock?.all("timer") ?? []) {
    const name = timer.attribute("name");
    const present = isOn(timer.attribute("present"));
    const policy = timer.attribute("tickpolicy");
    const track = timer.attribute("track");
    if (track !== undefined && track !== "wall" && track !== "boot")
      timer.dropAttribute("track", `"${track}": the clock goes with the host's`);
    if (name === "rtc" && policy === "catchup") rtc.driftFix = "slew";
    else if (name === "hpet") hpet = present;
    else if (name === "hypervclock" && present !== false) {
      profile.cpus.features = { ...profile.cpus.features, "hv-time": true };
    } else if (name === "kvmclock" && present === false) {
      profile.cpus.features = { ...profile.cpus.features, kvmclock: false };
    } else if (name === "pit" && policy !== undefined && policy !== "delay")
      timer.drop("lost ticks of the PIT come late");
    else if (name === "tsc") timer.drop("the guest has the host's time stamp counter");
    else tellTimer(timer, { name, present, policy });
  }
  if (hpet === true) profile.machine = { ...profile.machine, hpet };
  else if (hpet === undefined) {
    (clock ?? domain).improve(
      "no HPET, which QEMU's board has unless the clock says no: guests lose time to it; machine.hpet keeps it",
    );
  }
  if (Object.keys(rtc).length > 0) profile.machine = { ...profile.machine, rtc };
}

/** What a timer says that is neither usual nor a key of a profile. */
function tellTimer(
  timer: Reading,
  { name, present, policy }: Record<"name" | "policy", string | undefined> & { present: boolean | undefined },
): void {
  if (!["rtc", "pit", "kvmclock", "hypervclock"].includes(name ?? ""))
    timer.drop(`a PC has no timer "${name}"`);
  else if (name !== "hypervclock" && present === false) timer.drop("every PC has it");
  else if (name === "rtc" && policy !== undefined && policy !== "delay")
    timer.dropAttribute("tickpolicy", `"${policy}": lost ticks of the clock come late, or are caught up`);
}
