import type { CpuTopology } from "./cpu.ts";
import type { Draft } from "./draft.ts";
import { planInterrupts } from "./interrupts.ts";

export type Accelerator = "kvm" | "tcg";

/** Machine type, accelerator and what hangs on the machine as a whole. */
export function planMachine(draft: Draft, topology: CpuTopology): { accelerator: Accelerator } {
  const { machine, memory } = draft.profile;
  const accelerator = planAccelerator(draft);
  checkMachineType(draft);
  const type = draft.decide("machine", "machine.type", {
    value: machine.type,
    rule: "The profile's machine type is taken as it is; only a versioned one keeps the guest's hardware the same under a newer QEMU.",
    source: "q35",
  });
  const legacy = draft.decide("machine", "machine.legacy", {
    value: `usb=off, vmport=off, hpet=${onOff(machine.hpet)}`,
    rule: "A headless server gets no VMware port and no USB 1 controller of the board; the HPET only when asked for.",
    source: "q35",
  });
  const core = draft.decide("memory", "memory.dump", {
    value: `dump-guest-core=${onOff(memory.dump)}`,
    rule: "Guest memory is part of a core dump only when the profile says so.",
    source: "invocation",
  });
  const nvdimm = planNvdimm(draft);
  const interrupts = planInterrupts(draft, accelerator, topology);
  const smm = typeof machine.firmware === "object" && machine.firmware.ovmf.secureBoot;
  draft.add({
    option: "machine",
    type: machine.type,
    properties: {
      accel: accelerator,
      usb: false,
      vmport: false,
      hpet: machine.hpet,
      "dump-guest-core": memory.dump,
      ...interrupts.properties,
      smm: smm ? true : undefined,
      // With cells, each node names its backend; the two forms exclude each other.
      "memory-backend": draft.cells ? undefined : "ram-node0",
      nvdimm: nvdimm === undefined ? undefined : true,
    },
    because: [
      "machine.accelerator",
      type,
      legacy,
      core,
      ...(draft.cells ? [] : ["numa.cell0.memory"]),
      ...(nvdimm === undefined ? [] : [nvdimm]),
      ...interrupts.because,
      ...(smm ? ["firmware.ovmf"] : []),
    ],
  });
  planClock(draft);
  planViommu(draft);
  planSmbios(draft);
  return { accelerator };
}

/** QEMU takes NVDIMMs, now or later, only when the machine was started for them; the guest has a table more. */
function planNvdimm(draft: Draft): string | undefined {
  const { slots, devices } = draft.profile.memory;
  if (slots === 0 && !devices.some((device) => device.kind === "nvdimm")) return undefined;
  return draft.decide("machine", "machine.nvdimm", {
    value: "nvdimm=on",
    rule: "With slots for memory devices the machine takes NVDIMMs as well: that cannot be switched on later.",
    source: "nvdimm",
  });
}

function planAccelerator(draft: Draft): Accelerator {
  const asked = draft.profile.machine.accel;
  const { kvm } = draft.host;
  if (asked === "kvm" && !kvm.usable) {
    draft.refuse("HOST_KVM", ["machine", "accel"], {
      found: `KVM cannot be used: ${kvm.reason}`,
      needed: "a host on which QEMU runs a guest with KVM",
      fix: 'load kvm_intel or kvm_amd and give your user access to /dev/kvm, or set "accel" to "tcg" or "auto"',
    });
  }
  const accelerator = asked === "auto" ? (kvm.usable ? "kvm" : "tcg") : asked;
  draft.decide("machine", "machine.accelerator", {
    value: accelerator,
    rule: "auto is KVM where QEMU was seen to run a guest with it, else TCG. One accelerator only: with two, QEMU falls back silently.",
    facts: [
      `the profile asks for ${asked}`,
      kvm.usable ? "KVM works on this host" : `KVM cannot be used: ${kvm.reason}`,
    ],
    source: "kvm",
  });
  return accelerator;
}

function checkMachineType(draft: Draft): void {
  const { qemu } = draft.host;
  if (!qemu) return;
  const { type } = draft.profile.machine;
  const known = qemu.machines.find((machine) => machine.name === type || machine.alias === type);
  const path = ["machine", "type"];
  if (!known) {
    const newest = qemu.machines.find((machine) => machine.alias === "q35")?.name;
    draft.refuse("QEMU_FEATURE", path, {
      found: `QEMU ${qemu.version.major}.${qemu.version.minor} has no machine type "${type}"`,
      needed: "a q35 machine type of the installed QEMU",
      fix: newest ? `write "q35" or "${newest}"` : 'write "q35"',
    });
    return;
  }
  const maxCpus = draft.profile.cpus.max ?? draft.profile.cpus.boot;
  if (maxCpus > known.cpuMax) {
    draft.refuse("QEMU_FEATURE", ["cpus", draft.profile.cpus.max === undefined ? "boot" : "max"], {
      found: `${maxCpus} vCPUs, and ${known.name} takes ${known.cpuMax} at most`,
      needed: `at most ${known.cpuMax} vCPUs, or a machine type that takes more`,
      fix: "take a newer machine type (pc-q35-9.0 and later take 4096) or fewer vCPUs",
    });
  }
  if (known.deprecated) {
    draft.warn("QEMU_FEATURE", path, {
      found: `the machine type ${known.name} is deprecated in QEMU ${qemu.version.major}.${qemu.version.minor}`,
      needed: "a machine type that the next QEMU still has",
      fix: "move to a newer pc-q35 type",
    });
  }
}

function planClock(draft: Draft): void {
  const { rtc } = draft.profile.machine;
  const because = draft.decide("machine", "machine.clock", {
    value: `base=${rtc.base}, driftfix=${rtc.driftFix}`,
    rule: "The clock starts at the host's time in UTC unless the profile says otherwise.",
    source: "invocation",
  });
  draft.add({
    option: "rtc",
    properties: { base: rtc.base, driftfix: rtc.driftFix === "none" ? undefined : rtc.driftFix },
    because: [because],
  });
}

function planViommu(draft: Draft): void {
  const { viommu } = draft.profile.machine;
  if (!viommu) return;
  const because = draft.decide("machine", "machine.viommu", {
    value: `intel-iommu, ${viommu.addressBits} address bits`,
    rule: "The IOMMU comes before every other device, because devices look for it when they are made.",
    source: "viommu",
  });
  draft.add({
    option: "device",
    driver: "intel-iommu",
    id: undefined,
    properties: {
      intremap: viommu.interruptRemapping,
      "caching-mode": viommu.cachingMode,
      "aw-bits": viommu.addressBits,
    },
    because: [because],
  });
}

function planSmbios(draft: Draft): void {
  const { smbios } = draft.profile.machine;
  if (!smbios) return;
  const { oemStrings, ...system } = smbios;
  const because = draft.decide("machine", "machine.smbios", {
    value: "system information as in the profile",
    rule: "SMBIOS type 1 and 11 carry the profile's text.",
    source: "smbios",
  });
  if (Object.keys(system).length > 0) {
    draft.add({ option: "smbios", properties: { type: 1, ...system }, because: [because] });
  }
  if (oemStrings.length > 0) {
    draft.add({ option: "smbios", properties: { type: 11, value: oemStrings }, because: [because] });
  }
}

function onOff(value: boolean): string {
  return value ? "on" : "off";
}
