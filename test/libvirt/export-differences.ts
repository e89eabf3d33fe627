import { behind, type ListedDifference } from "./differences.ts";

/** What the guest of an exported domain does not see. */
const unseen: readonly ListedDifference[] = [
  {
    fact: /^machine type$/,
    libvirt: /^pc-q35-/,
    ours: /^q35$/,
    why: "libvirt writes down the version that a name without one stands for",
  },
  { fact: /^accelerator$/, libvirt: /^tcg$/, ours: /^kvm$/, why: "without KVM the domain's type is changed" },
  { fact: /^firmware variables$/, why: "each VM has a store of its own, from the same image" },
  {
    fact: /^device intel-iommu: eim$/,
    libvirt: /^on$/,
    ours: null,
    why: "QEMU has it on itself where interrupts are remapped by KVM",
  },
  {
    fact: /^boot order$/,
    ours: /^$/,
    why: "where nothing has a place in the order, the first disk has: firmware tries the disks in turn anyway",
  },
  {
    fact: /^vcpus at the start$/,
    libvirt: /^0$/,
    why: "vCPUs that can be removed come over libvirt's monitor, before the guest runs",
  },
];

/** What it sees, each told by a warning of the export; a uuid is libvirt's to make up. */
const seen: readonly ListedDifference[] = [
  { fact: /^uuid$/, ours: null, why: "each domain has one: libvirt makes it up" },
  {
    fact: /^cpu monitor$/,
    libvirt: /^off$/,
    ours: null,
    why: "libvirt takes MWAIT, which no guest has under KVM, out of processors that it names",
  },
  {
    fact: /^cpu vendor$/,
    libvirt: null,
    why: "TCG shows threads of a core with this vendor alone",
    told: /^cpus\.topology: the processor's vendor/,
  },
  { fact: /^cpu model-id$/, libvirt: null, why: "it is a feature with a text", told: /^cpus\.features/ },
  {
    fact: /^machine nvdimm$/,
    libvirt: null,
    ours: /^on$/,
    why: "libvirt has it where an NVDIMM is from the start",
    told: /^memory\.slots: /,
  },
  {
    fact: /^cell \d+ (size|host-nodes|policy|share)$/,
    libvirt: /^(0|bind|off)$/,
    ours: null,
    why: "a cell without memory has a backend of 0 bytes",
    told: /^numa\.cells\[\d+\]\.memory: /,
  },
  {
    fact: /^cell 0 mem-path$/,
    ours: /./,
    why: "the folder is libvirt's own setting",
    told: /^memory\.path: /,
  },
  { fact: /^sandbox/, ours: null, why: "it is libvirt's own setting", told: /^sandbox\.seccomp: / },
  {
    fact: /^device card .*: netdev (restrict|hostfwd)$/,
    libvirt: null,
    why: "libvirt has neither for QEMU's own network",
    told: /^networks\[\d+\]\.user\.(restrict|forward): /,
  },
  {
    fact: /^device disk .*: serial$/,
    libvirt: /\\ /,
    why: 'libvirt puts "\\" before blanks',
    told: /^disks\[\d+\]\.serial: .*before each blank/,
  },
  {
    fact: /^device disk .*: device_id$/,
    libvirt: /^drive-/,
    ours: null,
    why: "libvirt names SCSI disks itself that have no serial number",
    told: /^disks\[\d+\]\.serial: .*identification/,
  },
  {
    fact: /^device (e1000e|graphics card|disk null-co|edu|ivshmem-plain).*: is$/,
    libvirt: null,
    why: "libvirt has no element for stand-ins",
    told: /^standIns: /,
  },
];

export const exportDifferences: readonly ListedDifference[] = [...unseen, ...seen];

/** With those that are the same for import, of what a guest does not see. */
export const allOfExports: readonly ListedDifference[] = [...behind, ...exportDifferences];
