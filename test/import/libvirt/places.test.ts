import { describe, expect, it } from "vitest";
import { domain, imported, told } from "./domains.ts";

const at = (bus: number, slot = 0, fn = 0) =>
  `<address type='pci' domain='0x0000' bus='0x0${bus}' slot='0x0${slot}' function='0x${fn}'/>`;
const port = (index: number) =>
  `<controller type='pci' index='${index}' model='pcie-root-port'>${at(0, index)}</controller>`;
const hostdev = (slot: number, fn: number, place: string) =>
  `<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x0000' bus='0x41' slot='${slot}' function='${fn}'/></source>${place}</hostdev>`;
const of = (devices: string) => imported(domain("", { devices }));

describe("places below ports", () => {
  it("are shared by functions of one slot of the host", () => {
    const { profile, report } = of(port(1) + hostdev(0, 0, at(1, 0, 0)) + hostdev(0, 1, at(1, 0, 1)));
    expect(profile.passthrough?.devices).toEqual([
      { address: "0000:41:00.0", bus: "pci.1" },
      { address: "0000:41:00.1", bus: "pci.1" },
    ]);
    expect(told(report, "dropped")).toEqual([]);
    const other = of(port(1) + hostdev(0, 0, at(1, 0, 0)) + hostdev(2, 1, at(1, 0, 1)));
    expect(told(other.report, "dropped")).toEqual([expect.stringContaining("has a device already")]);
  });

  it("are kept behind a bridge to conventional PCI", () => {
    const bridge = `<controller type='pci' index='2' model='pcie-to-pci-bridge'>${at(1)}</controller>`;
    const { profile, report } = of(port(1) + bridge + hostdev(0, 1, at(2, 1)));
    expect(profile.passthrough?.devices).toEqual([{ address: "0000:41:00.1", attach: "pci" }]);
    expect(told(report, "dropped")).toEqual([]);
  });

  it("are those of the controller, for disks on SCSI and NVMe", () => {
    const controller = (type: string, inside: string) =>
      `<controller type='${type}' index='0'${type === "scsi" ? " model='virtio-scsi'" : ""}>${inside}</controller>`;
    const disk = (dev: string, bus: string) =>
      `<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='/${dev}'/><target dev='${dev}' bus='${bus}'/><address type='drive' controller='0' bus='0' target='0' unit='0'/></disk>`;
    const { profile, report } = imported(
      domain("<iothreads>1</iothreads>", {
        devices: [
          port(1) + port(2) + disk("sda", "scsi") + disk("nvme0n1", "nvme"),
          controller("scsi", `<driver queues='4' iothread='1'/>${at(1)}`),
          controller("nvme", `<serial>abc</serial>${at(2)}`),
        ].join(""),
      }),
    );
    expect(profile.disks).toEqual([
      {
        ...{ id: "sda", file: "/sda", format: "raw", device: "virtio-scsi" },
        ...{ iothread: "iothread1", queues: 4, bus: "pci.1", serial: "drive-scsi0-0-0-0" },
      },
      { id: "nvme0n1", file: "/nvme0n1", format: "raw", device: "nvme", serial: "abc", bus: "pci.2" },
    ]);
    expect(told(report, "dropped")).toEqual([]);
  });
});

describe("what libvirt says in ways of its own", () => {
  it("is a size with the memory devices in it", () => {
    const dimm = "<memory model='dimm'><target><size unit='MiB'>512</size><node>0</node></target></memory>";
    expect(of(dimm).profile.memory).toMatchObject({ size: "1536M", devices: [{ size: "512M" }] });
    const cells = "<cpu><numa><cell id='0' cpus='0-1' memory='2' unit='GiB'/></numa></cpu>";
    expect(imported(domain(cells, { devices: dimm })).profile.memory.size).toBe("2G");
  });

  it("is a clock that starts at a second, entries of the firmware's device, and an owner", () => {
    const text = domain(
      `<clock offset='absolute' start='1769860800'/>
       <sysinfo type='fwcfg'><entry name='opt/a'>b</entry><entry name='opt/c' file='/d'/><entry name='etc/e'>f</entry></sysinfo>
       <seclabel type='static' model='dac' relabel='no'><label>vm:+104</label></seclabel>`,
    );
    const { profile, report } = imported(text);
    expect(profile).toMatchObject({
      machine: { rtc: { base: "2026-01-31T12:00:00" } },
      fwCfg: [
        { name: "opt/a", string: "b" },
        { name: "opt/c", file: "/d" },
      ],
      sandbox: { user: "vm", group: "104" },
    });
    expect(told(report, "dropped")).toEqual([expect.stringMatching(/^sysinfo\/entry\[3\]: a name that/)]);
  });

  it("is the order of consoles, and who serves a network", () => {
    const { profile } = of(
      `<console type='pty'><target type='virtio'/></console><serial type='pty'/>
       <interface type='bridge'><source bridge='br0'/><driver name='vhost'/></interface>`,
    );
    expect(profile.consoles).toEqual([{ type: "virtio" }, { type: "serial" }]);
    expect(profile.networks).toEqual([{ id: "net0", bridge: "br0", vhost: true }]);
  });

  it("is where a TPM keeps its state, and an NVDIMM that keeps nothing", () => {
    const { profile, report } = of(
      `<tpm model='tpm-crb'><backend type='emulator' version='2.0'><source type='dir' path='/tpm'/></backend></tpm>
       <memory model='nvdimm' access='private'><source><path>/n</path></source><target><size unit='GiB'>1</size></target></memory>`,
    );
    expect(profile.tpm).toEqual({ state: "/tpm" });
    expect(profile.memory.devices).toMatchObject([{ kind: "nvdimm", share: false }]);
    expect(told(report, "dropped")).toEqual([]);
  });
});
