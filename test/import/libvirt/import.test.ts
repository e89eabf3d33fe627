import { describe, expect, it } from "vitest";
import { recordedHost } from "../../plan/planning.ts";
import { domain, imported, told } from "./domains.ts";

const profileOf = (...given: Parameters<typeof domain>) => imported(domain(...given)).profile;
const dropped = (...given: Parameters<typeof domain>) => told(imported(domain(...given)).report, "dropped");
const improved = (...given: Parameters<typeof domain>) => told(imported(domain(...given)).report, "improved");

describe("a domain", () => {
  it("becomes a profile with its size, and without devices that nobody asked for", () => {
    expect(profileOf("")).toEqual({
      version: 1,
      name: "vm",
      machine: { type: "q35" },
      // As QEMU's board and libvirt have it.
      cpus: { boot: 2, model: "qemu64", topology: { sockets: 2, cores: 1 } },
      memory: { size: "2G" },
      pcie: { spareRootPorts: 0 },
      consoles: [],
      guestAgent: false,
      rng: false,
    });
    expect(dropped("")).toEqual([]);
  });

  it("keeps identity and notes, and changes a name that cannot be one", () => {
    const text = domain("<uuid>2dae4266-6da5-4893-8616-bc2871c4b80f</uuid><title>Orders</title>").replace(
      "<name>vm</name>",
      "<name>my guest (old)</name>",
    );
    expect(imported(text).profile).toMatchObject({
      name: "my-guest-old-",
      uuid: "2dae4266-6da5-4893-8616-bc2871c4b80f",
      description: "Orders",
    });
  });

  it.each<[string, object]>([
    [
      "<memoryBacking><hugepages><page size='1' unit='G'/></hugepages><locked/></memoryBacking>",
      { pageSize: "1G", locked: true },
    ],
    [
      "<memoryBacking><nosharepages/><source type='memfd'/><access mode='shared'/></memoryBacking>",
      { merge: false, backend: "memfd", share: true },
    ],
    [
      "<memoryBacking><allocation mode='immediate' threads='8'/></memoryBacking>",
      { prealloc: true, preallocThreads: 8 },
    ],
    ["<maxMemory slots='4' unit='KiB'>16777216</maxMemory>", { max: "16G", slots: 4 }],
    ["<maxMemory slots='4' unit='KB'>16777217</maxMemory>", { max: "16001M", slots: 4 }],
  ])("has memory as %s says", (inside, expected) => {
    expect(profileOf(inside).memory).toEqual({ size: "2G", ...expected });
  });

  it.each<[string, object]>([
    ["<cpu mode='host-passthrough'/>", { model: "host" }],
    [
      "<cpu mode='custom'><model fallback='allow'>Skylake-Server</model><feature policy='disable' name='hle'/></cpu>",
      { model: "Skylake-Server", features: { hle: false } },
    ],
    [
      "<cpu><topology sockets='1' dies='1' cores='1' threads='2'/></cpu>",
      { topology: { sockets: 1, cores: 1, threads: 2 } },
    ],
    ["<cpu><maxphysaddr mode='passthrough'/></cpu>", { physicalBits: "host" }],
    [
      "<features><kvm><hidden state='on'/></kvm><pmu state='off'/></features>",
      { features: { kvm: false, pmu: false } },
    ],
    [
      "<features><hyperv><relaxed state='on'/><spinlocks state='on' retries='4095'/></hyperv></features>",
      { features: { "hv-relaxed": true, "hv-spinlocks": 4095 } },
    ],
  ])("has processors as %s says", (inside, expected) => {
    expect(profileOf(inside).cpus).toMatchObject({ boot: 2, ...expected });
  });

  it("grows to the vCPUs that it has room for", () => {
    const text = domain("").replace("<vcpu>2</vcpu>", "<vcpu placement='static' current='2'>8</vcpu>");
    expect(imported(text).profile.cpus).toMatchObject({
      boot: 2,
      max: 8,
      topology: { sockets: 8, cores: 1 },
    });
  });
});

describe("cells", () => {
  const cells = (extra = "") => `<cpu><numa>
    <cell id='0' cpus='0' memory='1' unit='GiB'>${extra}</cell><cell id='1' cpus='1' memory='1' unit='GiB'/>
  </numa></cpu>`;

  it("are as they are, bound as numatune says, with distances that are said one way", () => {
    const tune =
      "<numatune><memnode cellid='0' mode='strict' nodeset='1'/><memnode cellid='1' mode='preferred' nodeset='0'/></numatune>";
    const distances = "<distances><sibling id='1' value='31'/></distances>";
    expect(profileOf(cells(distances) + tune).numa).toEqual({
      cells: [
        { cpus: "0", memory: "1G", hostNodes: "1", distances: [10, 31] },
        { cpus: "1", memory: "1G", hostNodes: "0", policy: "preferred", distances: [31, 10] },
      ],
    });
  });

  it("are bound to where their vCPUs run, when numatune leaves it open", () => {
    const pins = "<cputune><vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='16'/></cputune>";
    const all = "<numatune><memory mode='strict' nodeset='0-1'/></numatune>";
    const { profile, report } = imported(domain(cells() + pins + all), { host: recordedHost("ol8") });
    expect(profile.numa?.cells?.map(({ hostNodes, distances }) => [hostNodes, distances])).toEqual([
      ["0", [10, 21]],
      ["1", [21, 10]],
    ]);
    expect(profile.pinning).toEqual({ vcpus: { "0": "1", "1": "16" } });
    expect(told(report, "improved").join("\n")).toMatch(/^numatune\/memory: cell 0-1: bound to the nodes/m);
  });

  it("that split cores have a socket for each vCPU", () => {
    const split = cells().replace("<cpu>", "<cpu><topology sockets='1' cores='1' threads='2'/>");
    expect(profileOf(split).cpus.topology).toEqual({ sockets: 2, cores: 1 });
    expect(improved(split)).toContainEqual(expect.stringMatching(/^cpu\/topology: a socket for each vCPU/));
  });

  it("may be made from the host's nodes", () => {
    expect(profileOf("<vnuma mode='host'/>")).toMatchObject({
      numa: { partition: {} },
      pinning: { granularity: "node" },
    });
    expect(profileOf("<cpu mode='host-passthrough' check='numa'/>").numa).toEqual({
      partition: { distribution: "round-robin" },
    });
  });
});

describe("pins", () => {
  it("of vCPUs with the same host CPUs are one, and those that share are said to", () => {
    const pin = (vcpu: number, set: string) => `<vcpupin vcpu='${vcpu}' cpuset='${set}'/>`;
    const tune = (...pins: string[]) => `<cputune>${pins.join("")}<emulatorpin cpuset='7'/></cputune>`;
    const own = tune(pin(0, "0-3"), pin(1, "0-3"));
    expect(profileOf(own).pinning).toEqual({ vcpus: { "0-1": "0-3" }, emulator: "7" });
    expect(profileOf(tune(pin(0, "2"), pin(1, "2"))).pinning).toMatchObject({ overcommit: true });
  });

  it("of I/O threads go by name", () => {
    const threads = "<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='5'/></cputune>";
    expect(profileOf(threads)).toMatchObject({
      iothreads: ["iothread1", "iothread2"],
      pinning: { iothreads: { iothread2: "5" } },
    });
  });
});

describe("devices", () => {
  const port = (index: number, slot: number) =>
    `<controller type='pci' index='${index}' model='pcie-root-port'><target chassis='${index}' port='0x8'/>
     <address type='pci' domain='0x0000' bus='0x00' slot='0x0${slot}' function='0x0'/></controller>`;
  const at = (bus: number) =>
    `<address type='pci' domain='0x0000' bus='0x0${bus}' slot='0x00' function='0x0'/>`;

  it("keep their places below the domain's ports", () => {
    const disk = `<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none' io='native'/>
      <source file='/d.qcow2'/><target dev='vda' bus='virtio'/>${at(1)}</disk>`;
    const nic = `<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='br0'/><model type='virtio'/>${at(2)}</interface>`;
    const given = { devices: port(1, 1) + port(2, 2) + disk + nic };
    expect(profileOf("", given)).toMatchObject({
      pcie: {
        tree: [
          { rootPort: "pci.1", addr: "1.0", chassis: 1 },
          { rootPort: "pci.2", addr: "2.0", chassis: 2 },
        ],
        spareRootPorts: 0,
      },
      disks: [{ id: "vda", file: "/d.qcow2", format: "qcow2", aio: "native", bus: "pci.1" }],
      networks: [{ id: "net0", bridge: "br0", mac: "52:54:00:00:00:01", bus: "pci.2" }],
    });
    expect(dropped("", given)).toEqual([]);
    const anew = imported(domain("", given), { replan: true }).profile;
    expect([anew.pcie, anew.disks?.[0]?.bus]).toEqual([undefined, undefined]);
  });

  it("of the host are passed through, below switches on expander buses", () => {
    const controller = (index: number, model: string, bus: number, inside = "") =>
      `<controller type='pci' index='${index}' model='${model}'>${inside}<address type='pci' bus='${bus}' slot='0x00' function='0x0'/></controller>`;
    const devices = [
      `<controller type='pci' index='1' model='pcie-expander-bus'><target busNr='0x20'><node>0</node></target>
       <address type='pci' bus='0' slot='0x03' function='0x0'/></controller>`,
      controller(2, "pcie-root-port", 1),
      controller(3, "pcie-switch-upstream-port", 2),
      controller(4, "pcie-switch-downstream-port", 3),
      `<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source>
       <address domain='0x0000' bus='0x18' slot='0x00' function='0x0'/></source>${at(4)}<rom bar='off'/></hostdev>`,
    ].join("");
    expect(profileOf("", { devices })).toMatchObject({
      pcie: {
        tree: [
          {
            ...{ expander: "pci.1", busNr: 32, numaNode: 0, addr: "3.0" },
            ports: [{ rootPort: "pci.2", switch: { upstream: "pci.3", downstream: [{ port: "pci.4" }] } }],
          },
        ],
      },
      passthrough: { devices: [{ address: "0000:18:00.0", bus: "pci.4", rom: false }] },
    });
    expect(dropped("", { devices })).toEqual([]);
  });

  it("have 0 for what an address leaves out, and ports without one are told", () => {
    const controller = (index: number, address: string) =>
      `<controller type='pci' index='${index}' model='pcie-root-port'>${address}</controller>`;
    const nic = "<interface type='user'><address type='pci' bus='1'/></interface>";
    const devices = controller(1, "<address type='pci' slot='4'/>") + controller(2, "") + nic;
    expect(profileOf("", { devices })).toMatchObject({
      pcie: { tree: [{ rootPort: "pci.1", addr: "4.0" }] },
      networks: [{ bus: "pci.1" }],
    });
    expect(dropped("", { devices })).toEqual([
      expect.stringMatching(/^devices\/controller\[2\]: no address, so the planner makes ports/),
    ]);
  });

  it("that a profile cannot have are told, with what to do", () => {
    const devices = `<interface type='direct'><source dev='eth0'/></interface><sound model='ich9'/>
      <interface type='bridge'/>
      <disk type='network' device='disk'><source protocol='rbd' name='x'/><target dev='vda' bus='virtio'/></disk>`;
    expect(dropped("", { devices }).sort()).toEqual([
      "devices/disk: a disk of type network: connect it on the host and name its device or file",
      "devices/interface[1]: an interface of type direct: make a tap device or a bridge and name it",
      "devices/interface[2]: a bridge without a name: write which one it is",
      "devices/sound: no sound",
    ]);
  });

  it("start in the domain's order", () => {
    const disk = (dev: string, device = "disk") =>
      `<disk type='file' device='${device}'><source file='/${dev}'/><target dev='${dev}' bus='sata'/></disk>`;
    const given = { devices: disk("sda") + disk("sdb", "cdrom") };
    const text = domain("", given).replace("</os>", "<boot dev='cdrom'/><boot dev='hd'/></os>");
    expect(imported(text).profile.disks?.map(({ id, boot }) => [id, boot])).toEqual([
      ["sda", 2],
      ["sdb", 1],
    ]);
  });

  it("start with the first of a kind, since QEMU takes no place twice", () => {
    const disk = (dev: string) =>
      `<disk type='file'><source file='/${dev}'/><target dev='${dev}' bus='virtio'/></disk>`;
    const nic = "<interface type='user'/>";
    const text = domain("", { devices: disk("vda") + disk("vdb") + nic + nic }).replace(
      "</os>",
      "<boot dev='network'/><boot dev='hd'/></os>",
    );
    const { disks, networks } = imported(text).profile;
    expect([disks?.map(({ boot }) => boot), networks?.map(({ boot }) => boot)]).toEqual([
      [2, undefined],
      [1, undefined],
    ]);
  });

  it("of a SCSI controller have its I/O thread, queues and place, and the name that the guest knows", () => {
    const disk = (dev: string, unit: number) =>
      `<disk type='file'><source file='/${dev}'/><target dev='${dev}' bus='scsi'/><address type='drive' controller='0' bus='0' target='0' unit='${unit}'/></disk>`;
    const controller = `<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='1' queues='4'/>${at(1)}</controller>`;
    const given = { devices: port(1, 1) + controller + disk("sda", 0) + disk("sdb", 1) };
    const { profile, report } = imported(domain("<iothreads>1</iothreads>", given));
    expect(profile.disks).toMatchObject([
      { iothread: "iothread1", queues: 4, bus: "pci.1", serial: "drive-scsi0-0-0-0" },
      { iothread: "iothread1", queues: 4, bus: "pci.1", serial: "drive-scsi0-0-0-1" },
    ]);
    expect(told(report, "improved")).toContain(
      "devices/disk[2]/address: target 1 of its controller instead of 0, unit 1: disks are in the profile's order",
    );
  });

  it("of memory are a part of what the domain counts", () => {
    const devices =
      "<memory model='dimm'><target><size unit='MiB'>512</size><node>0</node></target></memory>";
    expect(profileOf("<maxMemory slots='2' unit='GiB'>4</maxMemory>", { devices }).memory).toMatchObject({
      size: "1536M",
      devices: [{ size: "512M" }],
    });
  });

  it("for people and programs", () => {
    const devices = `<serial type='pty'><target type='isa-serial' port='0'/></serial><console type='pty'/>
      <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
      <graphics type='vnc' port='-1'/><video><model type='virtio'/></video><input type='tablet' bus='usb'/>
      <rng model='virtio'><backend model='random'>/dev/random</backend></rng>`;
    expect(profileOf("", { devices })).toMatchObject({
      consoles: [{ type: "serial" }],
      guestAgent: true,
      display: { vnc: { video: "virtio" } },
      usb: { tablet: true },
      rng: { source: "/dev/random" },
    });
  });
});

describe("the report", () => {
  it("has a line for everything that nobody reads, where it stands", () => {
    const { report } = imported(domain("<frobnicate/>\n  <features><acpi/><warp speed='9'/></features>"));
    expect(report.filter(({ verdict }) => verdict === "dropped")).toEqual([
      { verdict: "dropped", path: "frobnicate", line: 6, column: 3, note: "qlaunch knows no frobnicate" },
      { verdict: "dropped", path: "features/warp", line: 7, column: 20, note: "qlaunch knows no warp" },
    ]);
  });

  it("has one for an attribute and for a text too", () => {
    expect(dropped("<cpu mode='host-passthrough' flavour='mint'/>")).toEqual(["cpu@flavour: mint: not read"]);
    expect(dropped("<features>acpi</features>")).toEqual(['features: the text "acpi"']);
  });
});

describe("numbers", () => {
  it("that are none, or beyond all machines, are told and not waited for", () => {
    for (const wrong of ["many", "99999999999", "-3"]) {
      const text = domain("<iothreads>99999999999</iothreads>").replace(
        "<vcpu>2</vcpu>",
        `<vcpu cpuset='0-3'>${wrong}</vcpu>`,
      );
      const { profile, report } = imported(text);
      expect([profile.cpus.boot, profile.iothreads]).toEqual([1, undefined]);
      expect(told(report, "dropped").sort()).toEqual([
        'iothreads: "99999999999" is no count up to 4096',
        `vcpu: "${wrong}" is no count up to 4096`,
      ]);
    }
  });

  it("of a host device's domain are the host's", () => {
    const devices = `<hostdev mode='subsystem' type='pci'><source>
      <address domain='0x0001' bus='0x18' slot='0x00' function='0x1'/></source></hostdev>`;
    expect(profileOf("", { devices }).passthrough).toEqual({ devices: [{ address: "0001:18:00.1" }] });
    expect(dropped("", { devices })).toEqual([]);
  });
});
