import { describe, expect, it } from "vitest";
import { profileSchema } from "../../../src/profile/schema.ts";
import { domain, imported, told } from "./domains.ts";

const lines = (text: string) => {
  const { report } = imported(text);
  return [...told(report, "improved"), ...told(report, "dropped")];
};
const withDevices = (devices: string) => domain("", { devices });

describe("the identity of a guest", () => {
  it.each([
    // Of no version that a standard knows, as old guests have it.
    ["c0ffee00-edaf-9455-126a-d65c16db1809", "c0ffee00-edaf-9455-126a-d65c16db1809"],
    ["c0ffee00edaf9455126ad65c16db1809", "c0ffee00-edaf-9455-126a-d65c16db1809"],
  ])("%s stays", (given, expected) => {
    const { profile } = imported(domain(`<uuid>${given}</uuid>`));
    expect(profileSchema.parse(profile).uuid).toBe(expected);
  });

  it("is made new where it is none", () => {
    const text = domain("<uuid>c0ffee</uuid>");
    expect(imported(text).profile.uuid).toBeUndefined();
    expect(lines(text)).toContain('uuid: "c0ffee" is no UUID: a new one is made');
  });
});

describe("cells", () => {
  const cells = (inside: string, more = "") =>
    domain(`<cpu><numa>${inside}</numa></cpu>${more}`, { vcpus: 4 });

  it("count with their own memory, and the first has the vCPUs that none has", () => {
    const text = cells(
      "<cell id='0' cpus='0' memory='512' unit='MiB'/><cell id='1' cpus='2' memory='256' unit='MiB'/>",
    );
    const { profile } = imported(text);
    expect(profile.memory.size).toBe("768M");
    expect(profile.numa?.cells?.map(({ cpus }) => cpus)).toEqual(["0-1,3", "2"]);
    expect(lines(text)).toContain("memory: 768M: what its cells have together counts, as libvirt has it");
    expect(lines(text)).toContain(
      "cpu/numa: vCPUs 1,3 are in no cell, so in cell 0, where libvirt puts them too",
    );
  });

  it("that are shared each make memory.share", () => {
    const shared = (id: number) => `<cell id='${id}' cpus='${id}' memory='1' unit='GiB' memAccess='shared'/>`;
    expect(imported(cells(shared(0) + shared(1))).profile.memory.share).toBe(true);
    const one = cells(`${shared(0)}<cell id='1' cpus='1' memory='1' unit='GiB'/>`);
    expect(imported(one).profile.memory.share).toBeUndefined();
    expect(lines(one)).toContain("cpu/numa/cell[1]@memAccess: write memory.share, which is for all cells");
  });
});

describe("what others would have to do is told:", () => {
  it.each([
    [
      domain("<vcpu cpuset='0,^0'>2</vcpu>").replace("<vcpu>2</vcpu>", ""),
      'vcpu@cpuset: "0,^0" names no host CPU',
    ],
    [
      domain("<vcpu placement='auto'>2</vcpu>").replace("<vcpu>2</vcpu>", ""),
      'vcpu@placement: "auto" asked numad for host CPUs: the planner chooses them',
    ],
    [
      withDevices("<video><model type='vga'/></video>"),
      "devices/video: nobody could see it: write display.vnc for a card",
    ],
    [
      withDevices("<channel type='tcp'><source host='::1' service='1'/><target name='a'/></channel>"),
      "devices/channel: its other end is a socket of the run directory, instead of tcp",
    ],
    [
      withDevices("<channel type='unix'><source mode='bind' path='/x'/><target name='a'/></channel>"),
      "devices/channel: its other end is a socket of the run directory, instead of /x",
    ],
    [
      withDevices("<console type='pty'><log file='/x.log'/><target type='virtio'/></console>"),
      "devices/console/log: /x.log: its log is in the run directory",
    ],
    [
      withDevices("<controller type='virtio-serial' index='0'><driver iommu='on'/></controller>"),
      "devices/controller/driver@iommu: QEMU's default is used",
    ],
    [
      withDevices("<interface type='user'><driver queues='2' name='vhost'/></interface>"),
      "devices/interface/driver@queues: a virtio card on a tap device alone has several",
    ],
    [
      withDevices("<disk><source file='/a'><encryption format='luks'/></source><target dev='vda'/></disk>"),
      "devices/disk: an encrypted image, of which the guest would see the ciphertext: open it on the host",
    ],
    [
      withDevices("<disk><source file='/a'/></disk>"),
      "devices/disk: a disk without a name: write target dev, such as vda",
    ],
    [
      withDevices("<filesystem><source dir='/a'/><target dir='to be'/></filesystem>"),
      'devices/filesystem/target: the guest mounts it by "to-be" instead of "to be": change its fstab',
    ],
    [
      withDevices(
        `<hostdev mode='subsystem' type='pci'><source><address bus='1' slot='0'/></source>
         <address type='unassigned'/></hostdev>`,
      ),
      "devices/hostdev: the guest does not get it: bind it to vfio-pci yourself where its IOMMU group needs that",
    ],
    [
      withDevices("<memory model='dimm'><target><size unit='KiB'>523263</size></target></memory>"),
      "devices/memory/target/size: 512M: memory devices are whole 2 MiB, as libvirt has them",
    ],
  ])("%s", (text, expected) => {
    expect(lines(text)).toContain(expected);
  });
});

it("a disk with a name of its own loses nothing by it", () => {
  const disk = "<disk><source file='/a'/><target dev='vda' bus='virtio'/><alias name='ua-root'/></disk>";
  expect(imported(withDevices(disk)).profile.disks?.[0]?.id).toBe("root");
  expect(told(imported(withDevices(disk)).report, "dropped")).toEqual([]);
});

it("a network card of the host is passed through, and what libvirt sets on its port is told", () => {
  const card = `<interface type='hostdev' managed='yes'><mac address='52:54:00:00:00:01'/>
    <source><address type='pci' domain='0' bus='0x19' slot='0' function='0x2'/></source>
    <vlan><tag id='42'/></vlan></interface>`;
  const { profile, report } = imported(withDevices(card));
  expect(profile.passthrough).toEqual({ devices: [{ address: "0000:19:00.2" }] });
  expect(told(report, "dropped")).toEqual([
    'devices/interface/mac: 52:54:00:00:00:01: "ip link set PORT vf NUMBER mac ADDRESS" sets it on the host',
    'devices/interface/vlan: "ip link set PORT vf NUMBER vlan ID" sets it on the host',
  ]);
  const usb = card.replace("type='pci'", "type='usb'");
  expect(imported(withDevices(usb)).profile.passthrough).toBeUndefined();
});

it("the host's processor shows what could not be taken along where the domain says so", () => {
  const text = domain("<cpu mode='host-passthrough' migratable='off'/>");
  expect(imported(text).profile.cpus).toMatchObject({ model: "host", features: { migratable: false } });
});

it("the host's model is what QEMU can show, where there is no KVM", () => {
  const text = domain("<cpu mode='host-model'/>").replace("type='kvm'", "type='qemu'");
  expect(imported(text).profile.cpus.model).toBe("max");
});

it("a console is a serial port where there is none", () => {
  expect(imported(withDevices("<console type='pty'/>")).profile.consoles).toEqual([{ type: "serial" }]);
  const both = "<serial type='pty'/><console type='pty'/>";
  expect(imported(withDevices(both)).profile.consoles).toEqual([{ type: "serial" }]);
});

it("controllers without a number have the next one", () => {
  const port = (slot: number) =>
    `<controller type='pci' model='pcie-root-port'><address type='pci' slot='${slot}'/></controller>`;
  const { profile } = imported(withDevices(`<controller type='pci' model='pcie-root'/>${port(2)}${port(3)}`));
  expect(profile.pcie?.tree).toEqual([
    { rootPort: "pci.1", addr: "2.0" },
    { rootPort: "pci.2", addr: "3.0" },
  ]);
});

it("firmware that libvirt would choose by its features is that of Secure Boot", () => {
  const firmware = (enrolled: string) =>
    domain("").replace(
      "<os>",
      `<os firmware='efi'><firmware><feature enabled='yes' name='secure-boot'/>
       <feature enabled='${enrolled}' name='enrolled-keys'/></firmware>`,
    );
  const machine = imported(firmware("yes")).profile.machine;
  expect(machine?.firmware).toEqual({ ovmf: { secureBoot: true } });
  expect(lines(firmware("no")).join()).toContain("Secure Boot comes with keys");
});

it("a tag of 9p keeps its slashes, which the guest's fstab has", () => {
  const shares = withDevices("<filesystem><source dir='/a'/><target dir='/import/a'/></filesystem>");
  expect(profileSchema.parse(imported(shares).profile).filesystems[0]?.tag).toBe("/import/a");
});
