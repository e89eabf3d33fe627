import type { Plan } from "../../plan/types.ts";
import type { Profile } from "../../profile/index.ts";
import { formatIdSet } from "../../units/index.ts";
import { bytes, type Element, element, textElement } from "./xml.ts";

/** Features of a processor that libvirt has elements of their own for, under features and clock. */
const hypervFeatures = [
  ...["relaxed", "vapic", "vpindex", "runtime", "synic", "stimer", "reset", "frequencies"],
  ...["reenlightenment", "tlbflush", "ipi", "evmcs", "avic"],
] as const;

/** What the machine shows of the hypervisor. @see https://libvirt.org/formatdomain.html#hypervisor-features */
export function writeFeatures({ cpus: { features }, machine }: Profile, plan: Plan): Element {
  const isSplit = plan.options.some(
    (option) => option.option === "machine" && option.properties["kernel-irqchip"] === "split",
  );
  // libvirt asks for it wherever interrupts are remapped, without KVM too.
  const isRemapped = machine.viommu?.interruptRemapping === true;
  const isSecure = typeof machine.firmware === "object" && machine.firmware.ovmf.secureBoot;
  return element(
    "features",
    {},
    element("acpi"),
    element("apic", { eoi: onOff(features["kvm-pv-eoi"]) }),
    writeHyperv(features),
    writeKvm(features),
    typeof features.pmu === "boolean" ? element("pmu", { state: onOff(features.pmu) }) : undefined,
    isSecure ? element("smm", { state: "on" }) : undefined,
    isSplit || isRemapped ? element("ioapic", { driver: "qemu" }) : undefined,
    element("vmport", { state: "off" }),
  );
}

type Features = Profile["cpus"]["features"];

function writeHyperv(features: Features): Element | undefined {
  const spinlocks = features["hv-spinlocks"];
  const vendor = features["hv-vendor-id"];
  const parts = [
    ...hypervFeatures.flatMap((name) =>
      features[`hv-${name}`] === true ? element(name, { state: "on" }, directOf(name, features)) : [],
    ),
    ...(typeof spinlocks === "number" ? [element("spinlocks", { state: "on", retries: spinlocks })] : []),
    ...(typeof vendor === "string" && vendor !== ""
      ? [element("vendor_id", { state: "on", value: vendor })]
      : []),
  ];
  const mode = features["hv-passthrough"] === true ? "passthrough" : undefined;
  return parts.length > 0 || mode ? element("hyperv", { mode }, ...parts) : undefined;
}

/** Timers whose messages go to the vCPU itself. */
function directOf(name: string, features: Features): Element | undefined {
  const isDirect = name === "stimer" && features["hv-stimer-direct"] === true;
  return isDirect ? element("direct", { state: "on" }) : undefined;
}

function onOff(value: unknown): "on" | "off" | undefined {
  return typeof value === "boolean" ? (value ? "on" : "off") : undefined;
}

function writeKvm(features: Features): Element | undefined {
  const parts = [
    features.kvm === false ? element("hidden", { state: "on" }) : undefined,
    features["kvm-hint-dedicated"] === true ? element("hint-dedicated", { state: "on" }) : undefined,
    features["kvm-poll-control"] === true ? element("poll-control", { state: "on" }) : undefined,
  ].filter((part) => part !== undefined);
  return parts.length > 0 ? element("kvm", {}, ...parts) : undefined;
}

/** The guest's clock. @see https://libvirt.org/formatdomain.html#time-keeping */
export function writeClock({ machine: { rtc, hpet }, cpus: { features } }: Profile): Element {
  const start =
    rtc.base === "utc" || rtc.base === "localtime" ? Number.NaN : Date.parse(`${rtc.base}Z`) / 1000;
  const isAbsolute = start >= 0;
  return element(
    "clock",
    {
      offset: isAbsolute ? "absolute" : rtc.base === "localtime" ? "localtime" : "utc",
      start: isAbsolute ? start : undefined,
    },
    rtc.driftFix === "slew" ? element("timer", { name: "rtc", tickpolicy: "catchup" }) : undefined,
    element("timer", { name: "hpet", present: hpet ? "yes" : "no" }),
    features["hv-time"] === true ? element("timer", { name: "hypervclock", present: "yes" }) : undefined,
    features.kvmclock === false ? element("timer", { name: "kvmclock", present: "no" }) : undefined,
  );
}

/** Names of features that are said elsewhere. */
const apart = /^(hv-|kvm$|kvm-hint-dedicated$|kvm-poll-control$|kvm-pv-eoi$|pmu$|kvmclock$)/;

/** The processor that the guest sees, and its cells. @see https://libvirt.org/formatdomain.html#cpu-model-and-topology */
export function writeCpu({ cpus }: Profile, { placement, options }: Plan): Element {
  const { topology, physicalBits } = cpus;
  const features = Object.entries(cpus.features).flatMap(([name, on]) =>
    typeof on !== "boolean" || apart.test(name)
      ? []
      : element("feature", { policy: on ? "require" : "disable", name }),
  );
  const mode = { host: "host-passthrough", max: "maximum" }[cpus.model] ?? "custom";
  const hasCells = options.some((option) => option.option === "numa-node");
  return element(
    "cpu",
    { mode, match: mode === "custom" ? "exact" : undefined, check: "none" },
    mode === "custom" ? textElement("model", cpus.model, { fallback: "forbid" }) : undefined,
    topology && element("topology", topology),
    physicalBits === undefined
      ? undefined
      : physicalBits === "host"
        ? element("maxphysaddr", { mode: "passthrough" })
        : element("maxphysaddr", { mode: "emulate", bits: physicalBits }),
    ...features,
    hasCells ? element("numa", {}, ...placement.cells.map(writeCell)) : undefined,
  );
}

function writeCell({ id, vcpus, memoryBytes, distances }: Plan["placement"]["cells"][number]): Element {
  const isWhole = memoryBytes % 1024 === 0;
  return element(
    "cell",
    {
      id,
      cpus: vcpus.length > 0 ? formatIdSet(vcpus) : undefined,
      memory: isWhole ? memoryBytes / 1024 : memoryBytes,
      unit: isWhole ? "KiB" : "b",
    },
    distances === undefined
      ? undefined
      : element("distances", {}, ...distances.map((value, to) => element("sibling", { id: to, value }))),
  );
}

/** Which vCPUs are there at the start, and which of them can be removed. */
export function writeVcpus({ cpus }: Profile, { placement: { vcpus } }: Plan): (Element | undefined)[] {
  const count = textElement("vcpu", vcpus.length, {
    placement: "static",
    current: cpus.boot < vcpus.length ? cpus.boot : undefined,
  });
  if (vcpus.length === 1) return [count];
  const each = vcpus.map(({ id, boot }) =>
    element("vcpu", {
      id,
      enabled: boot ? "yes" : "no",
      hotpluggable: id === 0 || (boot && !cpus.hotpluggable) ? "no" : "yes",
    }),
  );
  return [count, element("vcpus", {}, ...each)];
}

/** Sizes, and what backs them: libvirt's size has the memory devices in it. */
export function writeMemory({ memory }: Profile): (Element | undefined)[] {
  const devices = memory.devices.reduce((sum, { size }) => sum + size, 0);
  const huge = memory.pageSize;
  const source = { auto: undefined, memfd: "memfd", file: "file", ram: "anonymous" }[memory.backend];
  const parts = [
    huge === undefined
      ? undefined
      : element("hugepages", {}, element("page", { size: huge / 1024, unit: "KiB" })),
    memory.locked ? element("locked") : undefined,
    memory.merge ? undefined : element("nosharepages"),
    source === undefined ? undefined : element("source", { type: source }),
    memory.share === true ? element("access", { mode: "shared" }) : undefined,
    memory.prealloc === true || memory.preallocThreads !== undefined
      ? element("allocation", {
          mode: memory.prealloc === true ? "immediate" : undefined,
          threads: memory.preallocThreads,
        })
      : undefined,
  ].filter((part) => part !== undefined);
  return [
    memory.max === undefined ? undefined : bytes("maxMemory", memory.max, { slots: memory.slots }),
    bytes("memory", memory.size + devices, memory.dump ? { dumpCore: "on" } : {}),
    parts.length > 0 ? element("memoryBacking", {}, ...parts) : undefined,
  ];
}
