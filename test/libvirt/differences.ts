/** A difference that is meant. */
export interface ListedDifference {
  readonly fact: RegExp;
  /** What libvirt says; null: nothing. Default: whatever it is. */
  readonly libvirt?: RegExp | null;
  /** What qlaunch says; null: nothing. Default: whatever it is. */
  readonly ours?: RegExp | null;
  readonly why: string;
  /** The line of the report that tells the user; without it the guest sees no difference. */
  readonly told?: RegExp;
}

/** What the guest does not see: how QEMU is run, and what is behind the devices. */
export const behind: readonly ListedDifference[] = [
  {
    fact: /^object secret masterKey0$/,
    ours: null,
    why: "libvirt's key for passwords that it hands to QEMU",
  },
  { fact: /^monitor /, why: "monitors are qlaunch's: an inherited socket, one for commands, one for people" },
  { fact: /^(no-shutdown|pidfile|S)$/, why: "libvirt ends QEMU itself, by another way" },
  { fact: /^audiodev /, ours: null, why: "libvirt names a sound system though there is no sound" },
  { fact: /^(display|vnc|vnc (audiodev|vnc))$/, why: "VNC is on a socket of the run directory" },
  { fact: /^overcommit mem-lock$/, libvirt: /^off$/, ours: null, why: "what QEMU does anyway" },
  {
    fact: /^boot strict$/,
    libvirt: /^on$/,
    ours: null,
    why: "without a device in the boot order it means nothing",
  },
  { fact: /: chardev is$/, ours: /^socket$/, why: "consoles and channels end in sockets, with a log" },
  {
    fact: /^device disk .*: (aio|cache\.direct|cache\.no-flush)$/,
    why: "libvirt leaves the host's page cache to QEMU; qlaunch goes by it where the domain does not ask",
  },
  { fact: /^device disk .*: discard$/, ours: /^unmap$/, why: "what the guest trims goes back to the host" },
  { fact: /^cell \d+ backend$|^device .*: memdev is$/, why: "the kind of memory backend is the planner's" },
  { fact: /^cell \d+ (mem-path|discard-data)$/, ours: null, why: "memory has no file that outlives QEMU" },
  {
    fact: /memdev (prealloc|prealloc-context|prealloc-threads|share|readonly)$|^object thread-context|^cell \d+ prealloc-(threads|context)$/,
    why: "how pages are taken, and by how many threads",
  },
  {
    fact: /^cell \d+ share$/,
    libvirt: /^on$/,
    ours: /^off$/,
    why: "a memfd is shared by itself; without a program beside QEMU nobody else has it",
  },
  { fact: /^device disk .*: backing$/, ours: null, why: "QEMU finds the backing file in the image itself" },
  {
    fact: /^device channel .*: nr$|: port$/,
    libvirt: /^\d+$/,
    ours: null,
    why: "ports are found by their names",
  },
  {
    fact: /^device (pc-dimm|nvdimm).*: slot$/,
    ours: null,
    why: "QEMU fills slots in order, as libvirt numbers them",
  },
  {
    fact: /^machine kernel_irqchip$/,
    libvirt: /^split$/,
    ours: null,
    why: "the interrupt controller is split where KVM needs it for the IOMMU, and TCG has none",
  },
  {
    fact: /: fsdev multidevs$/,
    libvirt: null,
    ours: /^remap$/,
    why: "files of several file systems in one folder",
  },
  { fact: /^firmware variables$/, why: "each VM has a store of its own", told: /nvram: / },
];

/** What the guest sees, each told in the report. */
const seen: readonly ListedDifference[] = [
  {
    fact: /^machine vmport$/,
    libvirt: null,
    ours: /^off$/,
    why: "a server needs no port of VMware's",
    told: /VMware's port/,
  },
  {
    fact: /^machine hpet$/,
    libvirt: /^on$/,
    ours: /^off$/,
    why: "guests lose time to the HPET",
    told: /no HPET/,
  },
  {
    fact: /^machine acpi$/,
    libvirt: /^off$/,
    ours: null,
    why: "without ACPI a guest knows no cells and no hot-plug",
    told: /no acpi/,
  },
  {
    fact: /^machine nvdimm$/,
    libvirt: null,
    ours: /^on$/,
    why: "NVDIMMs may come while the guest runs",
    told: /NVDIMMs can come/,
  },
  {
    fact: /^machine smm$/,
    libvirt: /^off$/,
    ours: null,
    why: "the profile has no key for it",
    told: /features\/smm: /,
  },
  {
    fact: /^machine graphics$|^boot reboot-timeout$/,
    ours: null,
    why: "the profile has no key for it",
    told: /os\/bios: /,
  },
  { fact: /^bios$/, ours: null, why: "SeaBIOS is QEMU's own", told: /BIOS image/ },
  { fact: /^boot (menu|splash-time)$/, ours: null, why: "the firmware asks nobody", told: /bootmenu/ },
  {
    fact: /^boot order$/,
    why: "a disk is not taken over",
    told: /devices\/disk.*: a disk (of type|on the bus)/,
  },
  {
    fact: /^rtc (base|clock)$/,
    why: "the clock starts with UTC and goes with the host's",
    told: /clock: offset variable|timer.*@track/,
  },
  {
    fact: /^global ICH9-LPC.disable_s3$/,
    libvirt: /^1$/,
    ours: null,
    why: "the profile has no key for it",
    told: /may put itself to sleep/,
  },
  { fact: /^smbios 0 /, ours: null, why: "QEMU's own strings are shown", told: /sysinfo\/bios/ },
  {
    fact: /^fw_cfg opt\/ovmf\/X-PciMmio64Mb string$/,
    ours: null,
    why: "the window is computed",
    told: /is computed/,
  },
  {
    fact: /^cpu avx$/,
    libvirt: /^on$/,
    ours: null,
    why: "a feature is on, off, or what the model says",
    told: /policy optional/,
  },
  {
    fact: /^cpu vendor$/,
    libvirt: null,
    ours: /^GenuineIntel$/,
    why: "TCG shows threads of a core with this vendor alone",
    told: /vendor/,
  },
  {
    fact: /^vcpus at the start$/,
    why: "vCPUs that can be removed come over libvirt's monitor, and which ones is planned",
    told: /which vCPUs/,
  },
  { fact: /^vcpus (sockets|cores|threads)$/, why: "cells would split cores", told: /a socket for each vCPU/ },
  { fact: /^cells$|^cell 0 cpus$/, why: "what is bound is a cell", told: /one cell with everything/ },
  {
    fact: /^cell \d+ hugetlbsize$/,
    why: "all cells have pages of one size",
    told: /one page size for all cells/,
  },
  {
    fact: /^distance /,
    libvirt: null,
    why: "cells that are bound have the distances of the host's nodes",
    told: /have the distances/,
  },
  {
    fact: /^hmat |^machine hmat$/,
    ours: null,
    why: "the guest is told distances",
    told: /interconnects|caches of memory/,
  },
  {
    fact: /^device port .*: (slot|io-reserve)$/,
    libvirt: null,
    why: "ports have a slot number, and I/O space only where it is used",
    told: /ports reserve I\/O space/,
  },
  {
    fact: /^device port .*: hotplug$/,
    libvirt: null,
    ours: /^off$/,
    why: "a port of a switch that is taken from the start keeps its device",
    told: /takes no other while/,
  },
  { fact: /^device port .*: port$/, why: "the number goes by the address", told: /port number/ },
  {
    fact: /^device port .*: is$/,
    libvirt: /^pcie-pci-bridge$/,
    ours: null,
    why: "no device needs a bridge to conventional PCI",
    told: /bridges to conventional PCI/,
  },
  {
    fact: /^device port .*: is$/,
    libvirt: null,
    ours: /^pcie-root-port$/,
    why: "a device gets a port of its own",
    told: /address changes|planner finds/,
  },
  {
    fact: /^device (disk|card|virtio-rng|USB controller).*: at$/,
    why: "a device of pcie.0 or of conventional PCI gets a port of its own",
    told: /address changes|planner finds/,
  },
  { fact: /^device disk .*: at$/, why: "drives are in the profile's order", told: /in the profile's order/ },
  { fact: /^device graphics card: at$/, why: "the card is in the next free slot", told: /next free slot/ },
  {
    fact: /^device i6300esb: at$/,
    why: "the card is in the next free slot",
    told: /watchdog.*next free slot/,
  },
  {
    fact: /^device disk .*: serial$/,
    libvirt: null,
    ours: /^drive-scsi/,
    why: "libvirt gives the name another way, which has the same links",
    told: /its serial number is/,
  },
  {
    fact: /^device disk .*: (wwn|vendor|product)$/,
    ours: null,
    why: "the profile has no key for it",
    told: /disk.*\/(wwn|vendor|product): /,
  },
  {
    fact: /^device disk .*: (share-rw|(logical|physical)_block_size)$/,
    ours: null,
    why: "the profile has no key for it",
    told: /shareable|blockio/,
  },
  {
    fact: /^device disk .*: (detect-zeroes|werror|rerror|ioeventfd|event_idx|queue-size|copy-on-read|iommu_platform|ats|packed)$/,
    ours: null,
    why: "QEMU's default is used",
    told: /driver@/,
  },
  {
    fact: /^device card .*: (rx_queue_size|tx_queue_size|iommu_platform|ats)$/,
    ours: null,
    why: "QEMU's default is used",
    told: /interface.*\/driver@/,
  },
  { fact: /^device card .*: romfile$/, ours: null, why: "the card has its own ROM", told: /interface.*rom/ },
  {
    fact: /^device card .*: is$/,
    ours: /^e1000e$/,
    why: "the profile has virtio and e1000e",
    told: /becomes e1000e/,
  },
  {
    fact: /^device card .*: is$/,
    ours: null,
    why: "the profile has no such back end",
    told: /an interface of type/,
  },
  {
    fact: /^device disk .*: is$/,
    ours: null,
    why: "the profile has no such disk",
    told: /a disk of type|on the bus usb|floppy/,
  },
  { fact: /^device isa-fdc: is$/, ours: null, why: "a q35 has no floppy drive", told: /floppy/ },
  {
    fact: /^device drive .*: is$/,
    libvirt: /^ide-cd$/,
    ours: null,
    why: "media are not changed while the guest runs",
    told: /without a medium/,
  },
  { fact: /^device intel-iommu: device-iotlb$/, ours: null, why: "QEMU's default is used", told: /@iotlb/ },
  {
    fact: /^device (virtio-balloon|pvpanic|vmgenid|vmcoreinfo|ivshmem-plain|usb-host|virtio-keyboard|isa-parallel|ich9-intel-hda|hda-duplex): is$/,
    ours: null,
    why: "the profile has no such device, or has one only where it is asked for",
    told: /no balloon|no panic|genid|vmcoreinfo|no shmem|of type usb|PS\/2|no parallel|no sound/,
  },
  {
    fact: /^device (pci-serial|isa-debugcon): is$/,
    ours: null,
    why: "serial ports are the board's",
    told: /a serial port of type/,
  },
  {
    fact: /^device virtio-rng: (max-bytes|period)$/,
    ours: null,
    why: "the host's random numbers do not run out",
    told: /rng\/rate/,
  },
  {
    fact: /^device USB (controller|companion).*: (is|p2|p3|at)$|^device usb-tablet: at$/,
    why: "one USB 3 controller has all",
    told: /USB 3 controller|four ports/,
  },
  {
    fact: /^device virtio-serial: max_ports$/,
    ours: null,
    why: "a controller has 31 ports",
    told: /31 ports instead/,
  },
  {
    fact: /^device virtio-serial \(2\): is$|^device channel .*: at$/,
    why: "one controller has all ports",
    told: /on the first one/,
  },
  {
    fact: /^device pc-dimm.*: memdev (host-nodes|policy)$/,
    ours: null,
    why: "a device is bound as its cell is",
    told: /bind the cell/,
  },
];

export const listedDifferences: readonly ListedDifference[] = [...behind, ...seen];
