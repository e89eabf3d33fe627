import { expect, it } from "vitest";
import { readHostUses } from "../../src/host/host-use.ts";
import { type FakeFile, fakeSystem } from "../rig/fake-system.ts";

function uses(
  tree: Record<string, FakeFile>,
  functions: Parameters<typeof readHostUses>[1] = [],
): Record<string, string> {
  return Object.fromEntries(readHostUses(fakeSystem(tree).files, functions));
}

/** A block device: its folder, its name among all and by number, its node. */
function block(name: string, numbers: string, folder: string): Record<string, FakeFile> {
  return {
    [`${folder}/dev`]: `${numbers}\n`,
    [`/sys/class/block/${name}`]: { link: `../..${folder.slice("/sys".length)}` },
    [`/sys/dev/block/${numbers}`]: { link: `../..${folder.slice("/sys".length)}` },
    [`/dev/${name}`]: { facts: { kind: "block" } },
  };
}

const mount = (numbers: string, point: string, source: string, type = "ext4") =>
  `22 1 ${numbers} / ${point} rw,relatime shared:1 - ${type} ${source} rw\n`;

const nvme = "/sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/nvme/nvme0/nvme0n1";
const sata = "/sys/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda";
const disks = {
  ...block("nvme0n1", "259:0", nvme),
  ...block("nvme0n1p1", "259:1", `${nvme}/nvme0n1p1`),
  ...block("nvme0n1p2", "259:2", `${nvme}/nvme0n1p2`),
  ...block("sda", "8:0", sata),
  ...block("sda1", "8:1", `${sata}/sda1`),
};

it("follows a partition to its disk's function, and names each file system once", () => {
  const mountinfo =
    mount("259:1", "/boot", "/dev/nvme0n1p1") +
    mount("259:2", "/", "/dev/nvme0n1p2") +
    mount("259:2", "/srv/bound", "/dev/nvme0n1p2") +
    mount("8:1", "/mnt/my\\040disk", "/dev/sda1") +
    mount("0:21", "/proc", "proc", "proc");
  expect(uses({ ...disks, "/proc/self/mountinfo": mountinfo })).toEqual({
    "0000:01:00.0": "the root file system and the file system /boot",
    "0000:00:17.0": "the file system /mnt/my disk",
  });
});

it("follows LVM on RAID to every disk", () => {
  const md = "/sys/devices/virtual/block/md0";
  const root = "/sys/devices/virtual/block/dm-0";
  expect(
    uses({
      ...disks,
      ...block("md0", "9:0", md),
      ...block("dm-0", "254:0", root),
      [`${root}/slaves/md0`]: { link: "../../md0" },
      [`${md}/slaves/nvme0n1p2`]: { link: "../../../../x" },
      [`${md}/slaves/sda1`]: { link: "../../../../x" },
      "/proc/self/mountinfo": mount("254:0", "/", "/dev/mapper/vg-root"),
    }),
  ).toEqual({ "0000:01:00.0": "the root file system", "0000:00:17.0": "the root file system" });
});

it("finds the devices of btrfs, whose numbers are no device's", () => {
  expect(
    uses({
      ...disks,
      "/sys/fs/btrfs/features/raid1": "0\n",
      "/sys/fs/btrfs/4a/devices/nvme0n1p2": { link: "x" },
      "/sys/fs/btrfs/4a/devices/sda1": { link: "x" },
      "/proc/self/mountinfo": mount("0:30", "/", "/dev/nvme0n1p2", "btrfs"),
    }),
  ).toEqual({ "0000:01:00.0": "the root file system", "0000:00:17.0": "the root file system" });
});

it("finds the controllers of an NVMe namespace with several paths", () => {
  const subsystem = "/sys/devices/virtual/nvme-subsystem/nvme-subsys0";
  const controllers = ["0000:01:00.0", "0000:02:00.0"].map(
    (address, index): Record<string, FakeFile> => ({
      [`/sys/devices/pci0000:00/${address}/nvme/nvme${index}/state`]: "live\n",
      [`${subsystem}/nvme${index}`]: { link: `../../../pci0000:00/${address}/nvme/nvme${index}` },
    }),
  );
  expect(
    uses({
      ...Object.assign({}, ...controllers),
      ...block("nvme0n1", "259:0", `${subsystem}/nvme0n1`),
      "/proc/self/mountinfo": mount("259:0", "/", "/dev/nvme0n1"),
    }),
  ).toEqual({ "0000:01:00.0": "the root file system", "0000:02:00.0": "the root file system" });
});

it("takes the function that makes a root bus along with the disk on that bus", () => {
  const folder =
    "/sys/devices/pci0000:16/0000:16:00.5/pci10000:00/10000:00:02.0/10000:01:00.0/nvme/nvme0/nvme0n1";
  expect(
    uses({
      ...block("nvme0n1", "259:0", folder),
      "/proc/self/mountinfo": mount("259:0", "/", "/dev/nvme0n1"),
    }),
  ).toEqual({ "0000:16:00.5": "the root file system", "10000:01:00.0": "the root file system" });
});

it("knows swap on a partition by either of its names, and leaves a swap file to its file system", () => {
  const header = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";
  const dm = "/sys/devices/virtual/block/dm-1";
  expect(
    uses({
      ...disks,
      ...block("dm-1", "254:1", dm),
      [`${dm}/slaves/sda1`]: { link: "x" },
      "/dev/mapper/vg-swap": { link: "../dm-1" },
      "/proc/swaps": `${header}/dev/mapper/vg-swap    partition\t8388604\t\t0\t\t-2\n/swapfile  file\t1\t0\t-3\n`,
    }),
  ).toEqual({ "0000:00:17.0": "swap" });
});

/** A network interface on a function, or one of the kernel's own with others below. */
function network(name: string, folder: string, lower: readonly string[] = []): Record<string, FakeFile> {
  return {
    [`${folder}/net/${name}/ifindex`]: "2\n",
    [`/sys/class/net/${name}`]: { link: `../..${folder.slice("/sys".length)}/net/${name}` },
    ...Object.fromEntries(lower.map((below) => [`${folder}/net/${name}/lower_${below}`, { link: below }])),
  };
}

const routeHeader = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";
const defaultRoute = (name: string) => `${name}\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n`;
const nics = {
  ...network("eno1", "/sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0"),
  ...network("eno2", "/sys/devices/pci0000:00/0000:00:02.0/0000:02:00.1"),
  ...network("ib0", "/sys/devices/pci0000:17/0000:17:01.0/0000:18:00.0"),
  ...network("lo", "/sys/devices/virtual"),
};

it("follows the default route through VLAN, bridge and bond to both cards, and leaves a network that is up", () => {
  const local = "ib0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
  expect(
    uses({
      ...nics,
      ...network("br0", "/sys/devices/virtual", ["bond0.7"]),
      ...network("bond0.7", "/sys/devices/virtual", ["bond0"]),
      ...network("bond0", "/sys/devices/virtual", ["eno1", "eno2"]),
      "/proc/net/route": routeHeader + defaultRoute("br0") + local,
    }),
  ).toEqual({ "0000:02:00.0": "the default route", "0000:02:00.1": "the default route" });
});

it("knows the default route of IPv6, and not that half of all addresses is one", () => {
  const any = "0".repeat(32);
  const half = "eno1\t00000000\t010200C0\t0003\t0\t0\t0\t00000080\t0\t0\t0\n";
  const byRouter = `${any} 00 ${any} 00 fe80000000000000000000000000000a 00000400 00000001 00000000 00000003      ib0\n`;
  const unreachable = `${any} 00 ${any} 00 ${any} ffffffff 00000001 00000000 00200200       lo\n`;
  const routes = { "/proc/net/route": routeHeader + half, "/proc/net/ipv6_route": byRouter + unreachable };
  expect(uses({ ...nics, ...routes })).toEqual({ "0000:18:00.0": "the default route" });
});

it("needs the physical function of a virtual one that it needs", () => {
  expect(
    uses({ ...nics, "/proc/net/route": routeHeader + defaultRoute("eno2") }, [
      { address: "0000:02:00.0" },
      { address: "0000:02:00.1", physicalFunction: "0000:02:00.0" },
    ]),
  ).toEqual({ "0000:02:00.0": "the default route", "0000:02:00.1": "the default route" });
});

it("tells all that a function is needed for", () => {
  expect(
    uses({
      ...block("vda", "254:0", "/sys/devices/pci0000:00/0000:02:00.0/virtio1/block/vda"),
      ...nics,
      "/proc/self/mountinfo": mount("254:0", "/", "/dev/vda"),
      "/proc/swaps": "Filename Type\n/dev/vda partition 1 0 -2\n",
      "/proc/net/route": routeHeader + defaultRoute("eno1"),
    })["0000:02:00.0"],
  ).toBe("the root file system, swap and the default route");
});

it("needs nothing where nothing is told", () => expect(uses({})).toEqual({}));
