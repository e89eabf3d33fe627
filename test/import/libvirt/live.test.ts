import { describe, expect, it } from "vitest";
import { importDomain } from "../../../src/import/libvirt/index.ts";
import { domain, imported, told } from "./domains.ts";

/** A part of a domain as its file has it, and as virsh dumpxml prints it while the domain runs. */
const pairs: Readonly<Record<string, { file: string; live: string }>> = {
  disk: {
    file: "<disk type='file' device='disk'><source file='/a'/><target dev='vda' bus='virtio'/></disk>",
    live: `<disk type='file' device='disk'><source file='/a' index='2'/><backingStore type='file' index='3'>
      <format type='raw'/><source file='/b'/><backingStore/></backingStore>
      <mirror type='file' job='copy'/><target dev='vda' bus='virtio'/><alias name='virtio-disk0'/></disk>`,
  },
  bridge: {
    file: "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><alias name='ua-lan'/></interface>",
    live: "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><target dev='vnet7'/><alias name='ua-lan'/></interface>",
  },
  "an interface that libvirt makes": {
    file: "<interface type='ethernet'/>",
    live: "<interface type='ethernet'><target dev='vnet0'/><alias name='net0'/></interface>",
  },
  consoles: {
    file: `<serial type='pty'><target type='isa-serial' port='0'/></serial><console type='pty'><target type='serial' port='0'/></console>
      <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`,
    live: `<serial type='pty'><source path='/dev/pts/2'/><target type='isa-serial' port='0'/><alias name='serial0'/></serial>
      <console type='pty' tty='/dev/pts/2'><source path='/dev/pts/2'/><target type='serial' port='0'/><alias name='serial0'/></console>
      <channel type='unix'><source mode='bind' path='/x'/><target type='virtio' name='org.qemu.guest_agent.0' state='connected'/><alias name='channel0'/></channel>`,
  },
  "a screen": {
    file: "<graphics type='vnc' port='-1' autoport='yes'/><video><model type='vga'/></video>",
    live: "<graphics type='vnc' port='5903' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/></graphics><video><model type='vga'/><alias name='video0'/></video>",
  },
  "small devices": {
    file: "<rng model='virtio'><backend model='random'/></rng><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm><watchdog model='i6300esb' action='reset'/>",
    live: "<rng model='virtio'><backend model='random'/><alias name='rng0'/></rng><tpm model='tpm-crb'><backend type='emulator' version='2.0'/><alias name='tpm0'/></tpm><watchdog model='i6300esb' action='reset'><alias name='watchdog0'/></watchdog>",
  },
};

const runs = (text: string) => text.replace("<domain ", "<domain id='5' ");
const atStart = `<currentMemory unit='KiB'>1048576</currentMemory><resource><partition>/machine</partition></resource>
  <seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+108</label><imagelabel>+64055:+108</imagelabel></seclabel>`;

describe("a domain that runs", () => {
  it.each(Object.entries(pairs))("has the profile of its file: %s", (_name, { file, live }) => {
    const own = imported(domain("", { devices: file }));
    const running = imported(runs(domain(atStart, { devices: live })), { live: true });
    expect(running.profile).toEqual(own.profile);
    expect(told(running.report, "dropped")).toEqual(told(own.report, "dropped"));
  });

  it("is told of as kept, where it stands", () => {
    const { report } = imported(runs(domain(atStart, { devices: pairs.disk?.live ?? "" })), { live: true });
    const paths = told(report, "kept");
    for (const part of [
      "@id",
      "resource",
      "seclabel",
      "devices/disk/source@index",
      "devices/disk/backingStore",
    ])
      expect(paths).toContain(`${part}: `);
  });

  it("keeps what is its own: names that users gave, interfaces that they made, labels that they wrote", () => {
    const devices =
      "<interface type='ethernet'><target dev='tap3' managed='no'/><alias name='ua-lan'/></interface>";
    const label = "<seclabel type='static' model='dac' relabel='no'><label>vm:kvm</label></seclabel>";
    expect(imported(runs(domain(label, { devices })), { live: true }).profile).toMatchObject({
      networks: [{ id: "lan", tap: "tap3" }],
      sandbox: { user: "vm", group: "kvm" },
    });
  });

  it("is read from the file that libvirtd keeps of it, with the processor that was asked for", () => {
    const topology = "<topology sockets='1' dies='1' cores='2' threads='1'/>";
    const cells = "<numa><cell id='0' cpus='0-1' memory='2' unit='GiB'/></numa>";
    const running = runs(
      domain(
        `<cpu mode='custom' match='exact' check='full'><model>EPYC</model>${topology}<feature policy='require' name='svm'/>${cells}</cpu>`,
      ),
    );
    const status = `<domstatus state='running' reason='booted' pid='9'><monitor path='/m' type='unix'/>
      <cpu mode='host-model' check='partial'>${topology}</cpu>${running}</domstatus>`;
    const file = imported(domain(`<cpu mode='host-model' check='partial'>${topology}${cells}</cpu>`));
    expect(imported(status, { live: true }).profile).toEqual(file.profile);
    const refused = importDomain(status);
    expect(refused.ok ? [] : refused.diagnostics.map(({ fix }) => fix)).toEqual([
      "add --live, for what libvirtd keeps of a running domain",
    ]);
    expect(importDomain("<domstatus/>", { live: true }).ok).toBe(false);
  });
});

describe("a domain without a size of its memory", () => {
  const without = (inside: string) => domain(inside).replace("<memory unit='GiB'>2</memory>", "");

  it("is refused where it begins, unless its cells have sizes", () => {
    const result = importDomain(without(""));
    expect(result.ok ? "" : result.diagnostics[0]?.found).toBe(
      "line 1, column 1: a domain without a size of its memory",
    );
    const wrong = importDomain(domain("").replace("GiB'>2", "GiB'>lots"));
    expect(wrong.ok ? "" : wrong.diagnostics[0]?.found).toMatch(/^line 3, column 3: /);
    const cells = "<cpu><numa><cell id='0' cpus='0-1' memory='3' unit='GiB'/></numa></cpu>";
    expect(imported(without(cells)).profile.memory.size).toBe("3G");
  });
});

describe("timers and enlightenments", () => {
  it.each<[string, string]>([
    ["<clock><timer name='rtc' tickpolicy='merge'/></clock>", 'clock/timer@tickpolicy: "merge": lost ticks'],
    ["<clock><timer name='pit' present='no'/></clock>", "clock/timer: every PC has it"],
    ["<clock><timer name='armvtimer'/></clock>", 'clock/timer: a PC has no timer "armvtimer"'],
    ["<features><hyperv mode='odd'/></features>", 'features/hyperv@mode: "odd": each enlightenment'],
    ["<features><hyperv><vendor_id state='on'/></hyperv></features>", "features/hyperv/vendor_id: a vendor"],
    ["<features><hyperv><xmm_input state='on'/></hyperv></features>", "features/hyperv/xmm_input: qlaunch"],
  ])("that a profile does not have are told: %s", (inside, line) => {
    expect(told(imported(domain(inside)).report, "dropped")).toEqual([expect.stringContaining(line)]);
  });
});
