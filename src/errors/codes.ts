/** What a diagnostic code means and how the program ends because of it. */
export interface CodeInfo {
  /** One line, for `qlaunch help errors` and for readers of `--json`. */
  readonly title: string;
  /** 1: refused by the host or the VM. 2: wrong usage or an invalid profile. 70: a bug of ours. */
  readonly exitStatus: 1 | 2 | 70;
}

const invalid = (title: string): CodeInfo => ({ title, exitStatus: 2 });
const refused = (title: string): CodeInfo => ({ title, exitStatus: 1 });

/** Every code that a user can meet. One rule, one code. */
export const codes = {
  // Usage
  USAGE: invalid("The command line is not understood"),
  FILE_EXISTS: invalid("A file that is there already would be written over"),

  // Profile: the text
  PROFILE_UNREADABLE: invalid("The profile file cannot be read"),
  PROFILE_SYNTAX: invalid("The profile is not JSON"),
  PROFILE_DUPLICATE_KEY: invalid("A key is given twice in one object"),
  PROFILE_UNKNOWN_KEY: invalid("A key that the profile format does not have"),
  PROFILE_MISSING_KEY: invalid("A required key is missing"),
  PROFILE_TYPE: invalid("A value of the wrong type"),
  PROFILE_VALUE: invalid("A value outside what is allowed"),
  PROFILE_VERSION: invalid("A profile format version that this program does not read"),

  // Profile: rules between keys
  CPU_TOPOLOGY: invalid("Sockets x dies x cores x threads differs from cpus.max"),
  CPU_BOOT_ABOVE_MAX: invalid("More CPUs at boot than at most"),
  CPU_HIDDEN_HYPERVISOR: invalid("CPU features that contradict each other"),
  IMPORT_XML: invalid("A document that is no libvirt domain"),
  IMPORT_GUEST: invalid(
    "A domain whose guest qlaunch cannot have: of another hypervisor, architecture, or confidential",
  ),
  IMPORT_LOSS: invalid("Parts of a domain that a profile cannot have, where none may be lost"),
  EXPORT_LOSS: invalid("Parts of a plan that a libvirt domain cannot say"),
  NUMA_CPU_MISSING: invalid("A vCPU that is in no NUMA cell"),
  NUMA_CPU_TWICE: invalid("A vCPU that is in two NUMA cells"),
  NUMA_CPU_BEYOND_MAX: invalid("A NUMA cell names a vCPU beyond cpus.max"),
  NUMA_CORE_SPLIT: invalid("The threads of one core are in different NUMA cells"),
  NUMA_MEMORY_SUM: invalid("NUMA cell memory does not sum to memory.size"),
  NUMA_DISTANCES: invalid("NUMA distances are incomplete or out of range"),
  NUMA_PARTITION: invalid("Cells that cannot be made from the host's nodes"),
  NUMA_POLICY: invalid("A memory policy and host nodes that do not go together"),
  MEMORY_ALIGNMENT: invalid("A memory size that is not a multiple of its page size"),
  MEMORY_MAX: invalid("memory.max and memory.slots do not go together"),
  MEMORY_DEVICE: invalid("Memory device settings that do not go together"),
  MEMORY_BACKEND: invalid("Memory backend settings that exclude each other"),
  PINNING_BEYOND_MAX: invalid("A pin for a vCPU beyond cpus.max"),
  PINNING_CPU_TWICE: invalid("vCPUs that cannot each have a host CPU of their own"),
  PINNING_UNKNOWN_IOTHREAD: invalid("A pin for an I/O thread that the profile does not have"),
  ID_DUPLICATE: invalid("Two things with the same id"),
  ID_UNKNOWN: invalid("An id that nothing in the profile has"),
  PCIE_BUS_NUMBERS: invalid("Bus numbers of expander buses overlap or run out"),
  PCIE_BUS_FULL: invalid("A bus has no slot left"),
  PCIE_PLACEMENT: invalid("A device that cannot be on that bus"),
  PCIE_CHASSIS: invalid("Two ports with the same chassis and slot"),
  PCIE_LINK: invalid("Links of PCIe ports that say less than the host's can do"),
  DISK_COMBINATION: invalid("Disk settings that do not go together"),
  NETWORK_COMBINATION: invalid("Network settings that do not go together"),
  SHARE_COMBINATION: invalid("Shared folder settings that do not go together"),
  PASSTHROUGH_SELECTION: invalid("A device to pass through that is named twice or selects nothing"),
  PASSTHROUGH_CLIQUE: invalid("A P2P clique that this device or guest cannot have"),
  PASSTHROUGH_COMBINATION: invalid("Settings that do not go together with passed-through devices"),
  CDI_UNREADABLE: invalid("A CDI file cannot be read"),
  CDI_SYNTAX: invalid("A CDI file is neither YAML nor JSON"),
  CDI_SPEC: invalid("A CDI file does not say what passing a device through needs"),
  STAND_IN_COMBINATION: invalid("Stand-in settings that do not go together"),
  ARGV_BYTE: invalid("A value with a byte that no QEMU option can carry"),

  // Host
  HOST_SNAPSHOT: invalid("The host snapshot cannot be used"),
  HOST_CPU_ABSENT: refused("A host CPU that does not exist or is offline"),
  HOST_NODE_ABSENT: refused("A host NUMA node that does not exist or has no memory"),
  HOST_CPUS_SHORT: refused("Too few free host CPUs"),
  HOST_MEMORY_SHORT: refused("Too little memory on a host NUMA node"),
  HOST_HUGEPAGES_SHORT: refused("Too few free huge pages on a host NUMA node"),
  HOST_HUGEPAGE_SIZE: refused("A huge page size that the host does not have"),
  HOST_ADDRESS_BITS: refused("The guest does not fit the host's physical address width"),
  HOST_KVM: refused("KVM is asked for and cannot be used"),
  HOST_FILE_MISSING: refused("A file that the guest needs is missing or cannot be read"),
  HOST_FILE_BUSY: refused("A disk image that another program uses"),
  HOST_FILE_FORMAT: refused("A file that is not what the profile says"),
  HOST_BRIDGE: refused("A bridge or tap device that cannot be used"),
  HOST_PROGRAM_MISSING: refused("A program that the guest needs is not installed"),
  HOST_SANDBOX: refused("The sandbox cannot be set up as asked"),
  HOST_LOCKED_MEMORY: refused("The locked-memory limit is too low"),
  HOST_IOMMU: refused("The host cannot give devices to guests"),
  HOST_DEVICE_ABSENT: refused("A host device that does not exist"),
  HOST_DEVICE_KIND: refused("A host device that cannot be passed through"),
  HOST_DEVICE_BUSY: refused("A host device that another VM has"),
  HOST_DEVICE_NEEDED: refused("A host device that the host itself needs"),
  HOST_DEVICE_DEAD: refused("A host device that does not answer"),
  HOST_DEVICE_BIND: refused("A host device that could not be taken from its driver or given back"),
  HOST_ACS: refused("Access control of PCIe ports that cannot be changed"),
  HOST_P2P: refused("Devices that do not reach each other as they could"),
  HOST_IOMMU_GROUP: refused("An IOMMU group with devices that stay with the host"),
  QEMU_ABSENT: refused("No QEMU was found"),
  QEMU_TOO_OLD: refused("A QEMU older than this program supports"),
  QEMU_UNUSABLE: refused("QEMU was found and does not answer"),
  QEMU_FEATURE: refused("This QEMU lacks something that the profile needs"),

  // Running VMs
  VM_RUNNING: refused("A VM of that name runs already"),
  VM_UNKNOWN: refused("No VM of that name"),
  VM_STALE: refused("The VM is no longer there; its run directory is"),
  VM_BUSY: refused("Another command works on this VM"),
  VM_START_FAILED: refused("QEMU did not start"),
  VM_DIED: refused("QEMU ended"),
  VM_PIN_FAILED: refused("A thread is not on the host CPUs that were planned"),
  VM_MEMORY_POLICY: refused("Memory is not bound as planned"),
  VM_STATE: refused("The VM is not in a state that allows this"),
  VM_TIMEOUT: refused("The VM did not do it in time"),
  VM_CONSOLE: refused("The VM has no such console"),
  RUN_DIRECTORY: refused("The run directory cannot be used"),
  QMP_ERROR: refused("QEMU refused a command"),
  QMP_DISCONNECTED: refused("QEMU closed the monitor"),

  // Live operations
  LIVE_VCPU_COUNT: refused("A number of vCPUs that the guest cannot have"),
  LIVE_VCPU_CHOICE: invalid("The vCPUs named do not fit the guest or the number asked for"),
  LIVE_VCPU_FIXED: refused("A vCPU that cannot be removed"),
  LIVE_VCPU_TCG: refused("More vCPUs than QEMU can make without KVM"),
  LIVE_ID_IN_USE: refused("An id that something in the running VM has"),
  LIVE_ID_UNKNOWN: refused("An id that nothing in the running VM has"),
  LIVE_PORT: refused("No free hot-plug port for the device"),
  LIVE_MEMORY_ROOM: refused("No slot or no room left for memory"),
  LIVE_DEVICE_KIND: invalid("A device that cannot come while the guest runs"),
  LIVE_NOT_REMOVABLE: refused("A device that cannot be taken out while the guest runs"),
  LIVE_GUEST_NOT_READY: refused("The guest has not booted far enough"),
  LIVE_GUEST_REFUSED: refused("The guest does not give up what it was asked for"),
  LIVE_INTERRUPTED: refused("The command was interrupted; its operation stays pending"),
  LIVE_OPERATION_UNKNOWN: refused("No such operation"),
  LIVE_OPERATION_ENDED: refused("An operation that has ended already"),
  LIVE_NOT_CANCELLABLE: refused("An operation that cannot be taken back"),

  // What a guest sees
  VERIFY_NO_PROBE: refused("A guest that does not tell what it sees"),
  VERIFY_DIFFERENT: refused("A guest that does not see what was planned"),

  // Rehearsals
  REHEARSE_IMAGES: refused("Nothing to boot a rehearsal from"),
  REHEARSE_HOST: refused("The simulated host did not do its part"),

  BUG: { title: "A bug of qlaunch", exitStatus: 70 },
} as const satisfies Record<string, CodeInfo>;

export type Code = keyof typeof codes;

/** The highest status among the problems: an invalid profile is told as such even when the host refuses too. */
export function exitStatusOf(diagnostics: readonly { readonly code: Code }[]): number {
  return Math.max(1, ...diagnostics.map(({ code }) => codes[code].exitStatus));
}
