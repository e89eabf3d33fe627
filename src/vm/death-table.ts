/** A complaint that is known, and what to do about it. */
export interface KnownDeath {
  /** In the words of QEMU or of a program that starts it; groups can be named in the texts as $1. */
  readonly words: RegExp;
  readonly needed: string;
  readonly fix: string;
}

/**
 * The words that a QEMU, from 7.2 to 10, leaves behind when it does not start. test/vm/death.test.ts has each as it
 * was seen. The more special ones come first. They are made when somebody asks, which most commands do not.
 */
export const knownDeaths = (): readonly KnownDeath[] => [
  // Memory
  {
    words: /unable to map backing store for guest RAM: Cannot allocate memory/,
    needed: "free huge pages for all of the guest's memory",
    fix: "reserve more on the bound nodes (/sys/devices/system/node/nodeN/hugepages), look at them with: qlaunch host show; or leave out memory.pageSize",
  },
  {
    words: /preallocating memory failed|Insufficient free host memory pages/,
    needed: "free memory on the bound node for all that is preallocated",
    fix: "look at the free pages of each node with: qlaunch host show; make the guest smaller, or bind it to another node",
  },
  {
    words: /cannot set up guest memory '([^']*)': Cannot allocate memory/,
    needed: "as much free memory as the guest has",
    fix: "make memory.size smaller, or free memory on the host (vm.overcommit_memory and a control group's memory.max count too)",
  },
  {
    words: /mlockall: |locking memory failed/,
    needed: "a limit on locked memory above all that QEMU maps",
    fix: "run it as root, raise the limit (ulimit -l, or LimitMEMLOCK= of the service), or set memory.locked to false",
  },
  {
    words: /cannot bind memory to host NUMA nodes: (.*)/,
    needed: "host nodes that exist, have memory and are allowed to this control group",
    fix: "compare hostNodes with: qlaunch host show; and with cpuset.mems.effective",
  },
  {
    words: /phys-bits too low \((\d+)\)/,
    needed: "guest physical addresses wider than $1 bits",
    fix: "set cpus.physicalBits, or make memory.max or pcie.mmio64 smaller",
  },
  // Devices of the host
  {
    words: /vfio_(?:container_)?dma_map\(.*\) = -12|VFIO_MAP_DMA failed: Cannot allocate memory/,
    needed: "a limit on locked memory above the guest's memory and 1 GiB, for each device behind a vIOMMU",
    fix: "run it as root, or raise the limit (ulimit -l, or LimitMEMLOCK= of the service); the kernel counts all that one user locks",
  },
  {
    words: /failed to open (\/dev\/vfio\/\S+): Permission denied/,
    needed: "the right to open $1",
    fix: 'give it to a group with a udev rule (SUBSYSTEM=="vfio*", GROUP="vfio", MODE="0660") that sandbox.groups names, or leave out sandbox.user',
  },
  {
    words: /failed to open (\/dev\/vfio\/\S+): Device or resource busy/,
    needed: "an IOMMU group that no other program has",
    fix: "find who has $1: fuser -v $1; a VM of another user or run directory has it too",
  },
  {
    words: /failed to open (\/dev\/vfio\/\S+): No such file or directory/,
    needed: "the kernel's device node $1",
    fix: "look whether all functions of the group are on vfio-pci: qlaunch vfio list; a container needs /dev/vfio of its host",
  },
  {
    words: /group (\d+) is not viable/,
    needed: "every function of IOMMU group $1 on vfio-pci, or without a driver",
    fix: 'look who else is in the group: qlaunch vfio list --all; pass these through too, or set passthrough.group to "whole"',
  },
  {
    words: /vfio (\S+): no such host device|vfio (\S+): no iommu_group found/,
    needed: "a host device with an IOMMU group at $1$2",
    fix: "look at the devices with: qlaunch vfio list; without groups, turn the IOMMU on in the firmware's setup and with intel_iommu=on on the kernel command line",
  },
  {
    words: /No available IOMMU models/,
    needed: "a kernel that can map memory for devices",
    fix: "modprobe vfio_iommu_type1",
  },
  {
    words: /[Ff]ailed to set iommu for container: Operation not permitted/,
    needed: "interrupt remapping, without which a device can interrupt as another one",
    fix: "turn interrupt remapping (x2APIC, VT-d or AMD-Vi) on in the firmware's setup; only where every guest is trusted: allow_unsafe_interrupts=1 of vfio_iommu_type1",
  },
  {
    words: /vfio (\S+): (?:error getting device from group|device is already attached)/,
    needed: "a device that only this VM has, once, with its whole group on vfio-pci",
    fix: "look at $1 with: qlaunch vfio list; and whether extraArgs names it again",
  },
  {
    words: /group (\d+) used in multiple address spaces/,
    needed: "one address space for all devices of group $1: a vIOMMU gives each its own",
    fix: "leave machine.viommu out, or pass only one device of the group through",
  },
  {
    words: /caching-mode=on for [Ii]ntel/,
    needed: "a vIOMMU that tells of its mappings",
    fix: "let machine.viommu make it, instead of extraArgs",
  },
  {
    words: /\/dev\/iommu does not exist|couldn't open directory .*vfio-dev|accept value 'iommufd'/,
    needed: "a kernel with iommufd and VFIO device nodes",
    fix: 'set passthrough.backend to "legacy", or use a kernel with CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV',
  },
  {
    words: /NVIDIA GPUDirect (?:Clique ID|cap): (.*)/,
    needed: "an NVIDIA GPU, and a QEMU that finds room for the capability of a P2P clique",
    fix: 'set clique to "none" for the device, or use QEMU 8.1 or newer',
  },
  // Accelerator and CPU
  {
    words:
      /Could not access KVM kernel module: Permission denied|failed to initialize kvm: Permission denied/,
    needed: "the right to open /dev/kvm",
    fix: "add the user that QEMU runs as to the group of /dev/kvm (usually kvm; sandbox.groups for another user), or set machine.accel to tcg",
  },
  {
    words: /Could not access KVM kernel module|failed to initialize kvm/,
    needed: "a working KVM",
    fix: "load kvm_intel or kvm_amd, or turn virtualization on in the firmware's setup; or set machine.accel to tcg",
  },
  {
    words: /failed to set MSR (0x[0-9a-f]+)/,
    needed: "a KVM that knows all features of the CPU model",
    fix: "name a CPU model in cpus.model instead of host, or set machine.accel to tcg",
  },
  {
    words: /CPU model 'host' requires KVM/,
    needed: "KVM for the CPU model host",
    fix: 'set cpus.model to "max", or machine.accel to "kvm"',
  },
  {
    words: /unable to find CPU model '([^']*)'/,
    needed: "a CPU model of this QEMU",
    fix: "choose another cpus.model than $1; QEMU lists them with: -cpu help",
  },
  {
    words: /unsupported machine type/,
    needed: "a machine type of this QEMU",
    fix: "choose another machine.type; QEMU lists them with: -machine help",
  },
  // Files
  {
    words: /Failed to get (?:shared )?"(?:write|consistent read)" lock/,
    needed: "an image that no other program uses",
    fix: "end the other VM or qemu-img that has it open; readOnly disks of several VMs must be read-only in all of them",
  },
  {
    words: /Image is not in (\S+) format/,
    needed: "an image of the format $1",
    fix: "correct the disk's format; qemu-img info tells it",
  },
  {
    words: /could not open kernel file '([^']*)'|error reading initrd ([^:]*): /,
    needed: "a kernel image and initrd that QEMU can read",
    fix: "correct kernel.image and kernel.initrd, or their modes",
  },
  {
    words: /[Cc]ould not open '([^']*)': No such file or directory/,
    needed: "the file $1",
    fix: "correct its path in the profile (relative ones count from the profile's folder), or make it: qemu-img create",
  },
  {
    words: /[Cc]ould not open '([^']*)': Permission denied/,
    needed: "the right to open $1, and to enter every folder above it",
    fix: "change its owner or mode for the user that QEMU runs as",
  },
  {
    words: /failed to open '([^']*)': No such file or directory/,
    needed: "the folder $1",
    fix: "correct the path of the shared folder, or make it",
  },
  {
    words: /Cannot lock pid file/,
    needed: "a run directory that no other QEMU uses",
    fix: "look which process has it: qlaunch ps",
  },
  {
    words: /UNIX socket path '([^']*)' is too long/,
    needed: "socket paths of 107 bytes at most",
    fix: "set QLAUNCH_RUN_DIR to a shorter path, or give the VM a shorter name",
  },
  {
    words: /Failed to bind socket to (\S+): (Permission denied|No such file or directory)/,
    needed: "the right to make $1",
    fix: "let the user that QEMU runs as enter every folder above it (chmod o+x), or set QLAUNCH_RUN_DIR to another folder",
  },
  {
    words: /cannot create PID file: .*'([^']*)': (.*)/,
    needed: "the right to make $1",
    fix: "let the user that QEMU runs as enter every folder above it (chmod o+x), or set QLAUNCH_RUN_DIR to another folder",
  },
  {
    words: /Failed to connect to '([^']*)'/,
    needed: "a program that listens on $1",
    fix: "look at the log of the helper beside QEMU's log",
  },
  // Network
  {
    words: /failed to parse default acl file|access denied by acl file/,
    needed: "the bridge in the list of those that guests may use",
    fix: "add a line to /etc/qemu/bridge.conf: allow BRIDGE",
  },
  {
    words: /failed to (?:get mtu of|add interface .* to) bridge `?([^':]*)'?: (.*)/,
    needed: "a bridge called $1",
    fix: "make it: ip link add $1 type bridge",
  },
  {
    words: /Can't fork bridge helper|bridge helper failed/,
    needed: "a qemu-bridge-helper that may run and has its setuid bit",
    fix: "chmod u+s its file (usually /usr/lib/qemu/qemu-bridge-helper), or use a tap device",
  },
  {
    words: /could not open \/dev\/net\/tun: (.*)/,
    needed: "the right to open /dev/net/tun",
    fix: "load the module tun, run as root, or use a bridge or user network",
  },
  {
    words: /could not configure \/dev\/net\/tun \(([^)]*)\): (.*)/,
    needed: "a tap device $1 that belongs to QEMU's user and that no other program has open",
    fix: "make it before: ip tuntap add $1 mode tap user USER (multi_queue when queues are more than 1)",
  },
  {
    words: /tap: open vhost char device failed/,
    needed: "/dev/vhost-net",
    fix: "modprobe vhost_net, or set the network's vhost to false",
  },
  {
    words: /Could not set up host forwarding rule '([^']*)'/,
    needed: "a free port on the host for $1",
    fix: "find who has it with ss -ltnp, or forward another port (below 1024 takes root)",
  },
  {
    words: /vhost-vsock: (?:failed to open vhost device|unable to set guest cid: Address already in use)/,
    needed: "/dev/vhost-vsock and a cid that no other guest has",
    fix: "modprobe vhost_vsock, or choose another vsock.cid",
  },
  // Options
  {
    words: /Property '([^']*)\.([^'.]*)' not found/,
    needed: "a QEMU whose $1 has the property $2",
    fix: "use a newer QEMU, or leave out what needs it: qlaunch plan --format explain tells why it is there",
  },
  {
    words: /'([^']*)' is not a valid device model name/,
    needed: "a QEMU that has the device $1",
    fix: "install the package of QEMU that has it, or use a newer QEMU",
  },
  {
    words: /Parameter 'qom-type' does not accept value '([^']*)'/,
    needed: "a QEMU that has the object $1",
    fix: "use a newer QEMU, or leave out what needs it: qlaunch plan --format explain tells why it is there",
  },
  {
    words: /Duplicate ID '([^']*)'/,
    needed: "ids that are used once",
    fix: "look whether extraArgs has another $1",
  },
  {
    words: /(?:invalid option|Invalid parameter '[^']*')/,
    needed: "options that this QEMU knows",
    fix: "use a newer QEMU, or look at extraArgs",
  },
  // Sandbox and privileges
  {
    words:
      /failed to install seccomp|seccomp (?:support is disabled|is not supported)|-sandbox support is not enabled/,
    needed: "a QEMU and a kernel with seccomp",
    fix: "set sandbox.seccomp to false if you trust the guest",
  },
  {
    words: /^setpriv: (.*)/,
    needed: "the right to become another user",
    fix: "run it as root, or leave out sandbox.user",
  },
  {
    words: /^prlimit: (.*)/,
    needed: "the right to raise limits",
    fix: "run it as root, or raise the limits of the session (ulimit, or Limit...= of the service)",
  },
];
