import { describe, expect, it } from "vitest";
import { explain, explainWords } from "../../src/vm/death.ts";
import { knownDeaths } from "../../src/vm/death-table.ts";
import { findComplaint, findWarnings } from "../../src/vm/last-words.ts";

/** As QEMU 7.2.22 and 10.0 wrote them, or have them in their programs; [words, part of the fix]. */
const seen: readonly (readonly [words: string, fix: string])[] = [
  [
    "qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory",
    "memory.pageSize",
  ],
  [
    "qemu-system-x86_64: qemu_prealloc_mem: preallocating memory failed: Bad address",
    "free pages of each node",
  ],
  ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory", "memory.size"],
  ["qemu-system-x86_64: mlockall: Cannot allocate memory", "ulimit -l"],
  ["qemu-system-x86_64: locking memory failed", "ulimit -l"],
  ["qemu-system-x86_64: cannot bind memory to host NUMA nodes: Invalid argument", "hostNodes"],
  [
    "qemu-system-x86_64: Address space limit 0xfffffffff < 0x1fffffffff phys-bits too low (36)",
    "cpus.physicalBits",
  ],
  ["Could not access KVM kernel module: Permission denied", "sandbox.groups"],
  ["qemu-system-x86_64: failed to initialize kvm: Permission denied", "sandbox.groups"],
  ["Could not access KVM kernel module: No such file or directory", "kvm_intel"],
  ["qemu-system-x86_64: error: failed to set MSR 0x10a to 0x0", "cpus.model"],
  ["qemu-system-x86_64: CPU model 'host' requires KVM or HVF", '"max"'],
  ["qemu-system-x86_64: unable to find CPU model 'Foo'", "than Foo"],
  ["qemu-system-x86_64: unsupported machine type", "machine.type"],
  ['qemu-system-x86_64: unsupported machine type: "pc-q35-99.0"', "machine.type"],
  [
    'qemu-system-x86_64: -blockdev driver=qcow2,node-name=q,file.driver=file,file.filename=d.qcow2: Failed to get "write" lock',
    "qemu-img",
  ],
  [
    'qemu-system-x86_64: -blockdev driver=qcow2,node-name=q,read-only=on: Failed to get shared "write" lock',
    "read-only in all",
  ],
  [
    "qemu-system-x86_64: -blockdev driver=qcow2,node-name=q,file=f: Image is not in qcow2 format",
    "qemu-img info",
  ],
  ["qemu: could not open kernel file '/tmp/none': No such file or directory", "kernel.image"],
  [
    "qemu: error reading initrd /tmp/none: Failed to open file “/tmp/none”: open() failed: No such file or directory",
    "kernel.initrd",
  ],
  [
    "qemu-system-x86_64: -blockdev driver=file,node-name=f,filename=/tmp/none.qcow2: Could not open '/tmp/none.qcow2': No such file or directory",
    "qemu-img create",
  ],
  [
    "qemu-system-x86_64: -blockdev driver=file,node-name=f,filename=/tmp/d.raw: Could not open '/tmp/d.raw': Permission denied",
    "owner or mode",
  ],
  [
    "qemu-system-x86_64: -device virtio-9p-pci,fsdev=f,mount_tag=x: cannot initialize fsdev 'f': failed to open '/tmp/none': No such file or directory",
    "shared folder",
  ],
  [
    "qemu-system-x86_64: cannot create PID file: Cannot lock pid file: Resource temporarily unavailable",
    "qlaunch ps",
  ],
  ["qemu-system-x86_64: -chardev socket,id=c: UNIX socket path '/tmp/aaa' is too long", "shorter path"],
  [
    "qemu-system-x86_64: -chardev socket,id=c,server=on,wait=off: Failed to bind socket to /tmp/none/x.sock: No such file or directory",
    "chmod o+x",
  ],
  [
    "qemu-system-x86_64: cannot create PID file: Could not create '/tmp/none/x.pid': No such file or directory",
    "chmod o+x",
  ],
  [
    "qemu-system-x86_64: -chardev socket,id=c,path=/tmp/none.sock: Failed to connect to '/tmp/none.sock': No such file or directory",
    "helper",
  ],
  ["failed to parse default acl file `/etc/qemu/bridge.conf'", "allow BRIDGE"],
  ["access denied by acl file", "allow BRIDGE"],
  ["failed to get mtu of bridge `nobr0': No such device", "ip link add nobr0"],
  [
    "qemu-system-x86_64: -netdev bridge,id=n,br=nobr0: Can't fork bridge helper: Operation not permitted",
    "chmod u+s",
  ],
  ["qemu-system-x86_64: -netdev bridge,id=n,br=br0: bridge helper failed", "chmod u+s"],
  [
    "qemu-system-x86_64: -netdev tap,id=n,ifname=tap9: could not open /dev/net/tun: Permission denied",
    "module tun",
  ],
  [
    "qemu-system-x86_64: -netdev tap,id=n,ifname=tap9: could not configure /dev/net/tun (tap9): Device or resource busy",
    "ip tuntap add tap9",
  ],
  [
    "qemu-system-x86_64: -netdev tap,id=n,ifname=tap98,vhost=on: tap: open vhost char device failed: No such file or directory",
    "vhost_net",
  ],
  [
    "qemu-system-x86_64: -netdev user,id=n: Could not set up host forwarding rule 'tcp:127.0.0.1:2024-:22'",
    "ss -ltnp",
  ],
  [
    "qemu-system-x86_64: -device vhost-vsock-pci,guest-cid=5: vhost-vsock: failed to open vhost device: No such file or directory",
    "vhost_vsock",
  ],
  [
    "qemu-system-x86_64: -device vfio-pci,host=0000:77:00.0: vfio /sys/bus/pci/devices/0000:77:00.0: no such host device: No such file or directory",
    "intel_iommu=on",
  ],
  [
    "qemu-system-x86_64: -device vfio-pci,host=0000:00:00.0: vfio 0000:00:00.0: no iommu_group found: No such file or directory",
    "intel_iommu=on",
  ],
  ...vfio("failed to open /dev/vfio/12: Permission denied", "sandbox.groups"),
  ...vfio("failed to open /dev/vfio/12: Device or resource busy", "fuser -v /dev/vfio/12"),
  ...vfio("failed to open /dev/vfio/12: No such file or directory", "a container needs"),
  ...vfio("group 12 is not viable", "qlaunch vfio list --all"),
  ...vfio("failed to setup container for group 12: No available IOMMU models", "vfio_iommu_type1"),
  ...vfio(
    "failed to setup container for group 12: Failed to set iommu for container: Operation not permitted",
    "interrupt remapping",
  ),
  ...vfio(
    "failed to setup container for group 12: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x5581, 0x0, 0x80000000, 0x7f01) = -12 (Cannot allocate memory)",
    "LimitMEMLOCK",
  ),
  ["qemu-system-x86_64: VFIO_MAP_DMA failed: Cannot allocate memory", "LimitMEMLOCK"],
  ...vfio("error getting device from group 12: No such device", "0000:41:00.0 with"),
  ...vfio("device is already attached", "extraArgs"),
  ...vfio("group 12 used in multiple address spaces", "machine.viommu"),
  [
    "qemu-system-x86_64: We need to set caching-mode=on for intel-iommu to enable device assignment with IOMMU protection.",
    "machine.viommu",
  ],
  [
    "qemu-system-x86_64: Device assignment is not allowed without enabling caching-mode=on for Intel IOMMU.",
    "machine.viommu",
  ],
  [
    "qemu-system-x86_64: -object iommufd,id=i: /dev/iommu does not exist (is your kernel config missing CONFIG_IOMMUFD?)",
    "legacy",
  ],
  ...vfio("NVIDIA GPUDirect Clique ID: unsupported PCI class", "8.1"),
  ...vfio("Failed to add NVIDIA GPUDirect cap: PCI capability 9 at offset 0xc8 overlaps", "8.1"),
  ["qemu-system-x86_64: -device virtio-rng-pci,foo=1: Property 'virtio-rng-pci.foo' not found", "explain"],
  ["qemu-system-x86_64: -device foo-pci: 'foo-pci' is not a valid device model name", "package of QEMU"],
  [
    "qemu-system-x86_64: -object iommufd,id=i: Parameter 'qom-type' does not accept value 'iommufd'",
    "legacy",
  ],
  [
    "qemu-system-x86_64: -object sgx-epc,id=i: Parameter 'qom-type' does not accept value 'sgx-epc'",
    "newer QEMU",
  ],
  ["qemu-system-x86_64: -device virtio-rng-pci,id=a: Duplicate ID 'a' for device", "another a"],
  ["qemu-system-x86_64: -run-with user=nobody: invalid option", "extraArgs"],
  [
    "qemu-system-x86_64: failed to install seccomp syscall filter in the kernel: Invalid argument",
    "sandbox.seccomp",
  ],
  ["setpriv: setresgid failed: Operation not permitted", "as root"],
  ["prlimit: failed to set the MEMLOCK resource limit: Operation not permitted", "ulimit"],
];

function vfio(words: string, fix: string): [words: string, fix: string][] {
  return [[`qemu-system-x86_64: -device vfio-pci,host=0000:41:00.0: vfio 0000:41:00.0: ${words}`, fix]];
}

describe("QEMU's last words", () => {
  it.each(seen)("%s", (words, fix) => {
    expect(explainWords([words])?.fix).toContain(fix);
  });

  it("has seen every entry of the table", () => {
    const unseen = knownDeaths().filter(({ words }) => !seen.some(([line]) => words.test(line)));
    expect(unseen).toEqual([]);
  });

  it("takes the more special complaint of the last lines", () => {
    const words = [
      "failed to parse default acl file `/etc/qemu/bridge.conf'",
      "qemu-system-x86_64: -netdev bridge,id=n,br=nobr0: bridge helper failed",
    ];
    expect(explainWords(words)?.fix).toContain("allow BRIDGE");
  });

  it("takes the complaint, not the hint below it or the warning above", () => {
    const words = [
      "qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.01H:ECX.pcid [bit 17]",
      'qemu-system-x86_64: -blockdev x: Failed to get "write" lock',
      "Is another process using the image [d.qcow2]?",
    ];
    expect(findComplaint(words)).toBe('-blockdev x: Failed to get "write" lock');
    expect(findComplaint(["qemu-system-x86_64: warning: netdev n has no peer"])).toContain("no peer");
    expect(findComplaint([])).toBeUndefined();
  });

  it("names the shortage behind a signal", () => {
    expect(explain({ exitCode: undefined, signal: "SIGBUS" }, [])?.needed).toContain("huge pages");
    expect(explain({ exitCode: undefined, signal: "SIGKILL" }, [])?.fix).toContain("dmesg");
    expect(explain({ exitCode: 1, signal: undefined }, ["what nobody knows"])).toBeUndefined();
  });

  it("passes warnings on once each, and leaves out what TCG says of CPU features", () => {
    const netdev = "qemu-system-x86_64: warning: netdev n has no peer";
    const tcg =
      "qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.01H:ECX.pcid [bit 17]";
    expect(findWarnings([netdev, tcg, netdev])).toEqual([netdev]);
  });
});
