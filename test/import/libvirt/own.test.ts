import { describe, expect, it } from "vitest";
import { domain, imported, told } from "./domains.ts";

const own = (inside: string) =>
  `<metadata><q:profile xmlns:q='urn:qlaunch:profile:1'>${inside}</q:profile></metadata>`;
const part = (path: string, json: string) => `<q:part path='${path}'>${json}</q:part>`;
const devices = "<interface type='user'><mac address='52:54:00:00:00:01'/></interface>";

describe("what qlaunch left in the metadata", () => {
  it("is in the profile, by the ids of things", () => {
    const text = domain(
      own(
        part("networks/net0/user/forward", '["tcp::2222-:22"]') +
          part("guestAgent/online", "true") +
          part("pinning/vcpus", '"none"'),
      ),
      {
        devices: `${devices}<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`,
      },
    );
    const { profile, report } = imported(text);
    expect(profile).toMatchObject({
      networks: [{ id: "net0", user: { forward: ["tcp::2222-:22"] } }],
      guestAgent: { online: true },
      pinning: { vcpus: "none" },
    });
    expect(told(report, "dropped")).toEqual([]);
    expect(told(report, "kept").filter((line) => line.startsWith("metadata/profile/part"))).toHaveLength(3);
  });

  it("takes away what import fills in", () => {
    const cells = "<cpu><numa><cell id='0' cpus='0-1' memory='2' unit='GiB'/></numa></cpu>";
    const tune = "<numatune><memnode cellid='0' mode='strict' nodeset='0'/></numatune>";
    const { profile } = imported(domain(cells + tune + own(part("numa/cells/0/hostNodes", "null"))));
    expect(profile.numa).toEqual({ cells: [{ cpus: "0-1", memory: "2G" }] });
  });

  it("names I/O threads, wherever they are named", () => {
    const threads =
      "<iothreads>2</iothreads><cputune><iothreadpin iothread='2' cpuset='5'/></cputune>" +
      own("<q:iothread id='1' name='slow'/><q:iothread id='2' name='fast'/>");
    const disk =
      "<disk type='file' device='disk'><driver iothread='2'/><source file='/d'/><target dev='vda' bus='virtio'/></disk>";
    expect(imported(domain(threads, { devices: disk })).profile).toMatchObject({
      iothreads: ["slow", "fast"],
      pinning: { iothreads: { fast: "5" } },
      disks: [{ iothread: "fast" }],
    });
  });

  it.each<[string, string, string]>([
    ["memory/size", '"64G"', "libvirt has an element for it, which counts"],
    ["extraArgs", '["-S"]', "libvirt has an element for it, which counts"],
    ["networks/net0/bus", '"pci.9"', "libvirt has an element for it, which counts"],
    ["networks/net9/user/restrict", "true", "the profile has no such place"],
    ["standIns/__proto__", "1", "libvirt has an element for it, which counts"],
    ["cpus/features/__proto__", "1", "the profile has no such place"],
    ["standIns", '[{"id": "a", "device": "toaster"}]', "no part of a profile"],
    ["standIns", "[", "its text is not JSON"],
  ])("is dropped at %s as %s", (path, json, why) => {
    const text = domain(own(part(path, json)), { devices });
    const { profile, report } = imported(text);
    expect(told(report, "dropped")).toEqual([expect.stringContaining(`metadata/profile/part: ${why}`)]);
    expect(profile).toEqual(imported(domain("", { devices })).profile);
  });

  it("is nothing of other programs", () => {
    const other = "<metadata><o:os xmlns:o='http://libosinfo.org/x'><o:id>7</o:id></o:os></metadata>";
    expect(told(imported(domain(other)).report, "dropped")).toEqual([
      "metadata/os: notes of another program, which mean nothing here",
    ]);
  });
});

describe("properties of QEMU's devices that the domain sets", () => {
  const override = (alias: string, properties: string) =>
    `<qemu:override><qemu:device alias='${alias}'><qemu:frontend>${properties}</qemu:frontend></qemu:device></qemu:override>`;
  const property = (name: string, type: string, value: string) =>
    `<qemu:property name='${name}' type='${type}' value='${value}'/>`;
  const port =
    "<controller type='pci' index='1' model='pcie-root-port'><alias name='ua-rp_-a'/><address type='pci' bus='0' slot='1'/></controller>";

  it("are what ports keep, and how fast their links are", () => {
    const properties = [
      property("io-reserve", "unsigned", "0"),
      property("pref64-reserve", "unsigned", "1073741824"),
      property("bus-reserve", "unsigned", "4"),
      property("slot", "unsigned", "7"),
      property("x-speed", "string", "16"),
      property("x-width", "string", "8"),
    ];
    const { profile, report } = imported(
      domain("", { devices: port }).replace(
        "</domain>",
        `${override("ua-rp_-a", properties.join(""))}</domain>`,
      ),
    );
    expect(profile.pcie?.tree).toEqual([
      {
        ...{ rootPort: "rp.a", addr: "1.0", slot: 7, speed: "16", width: 8 },
        ...{ ioReserve: 0, pref64Reserve: 1073741824, busReserve: 4 },
      },
    ]);
    expect(told(report, "dropped")).toEqual([]);
  });

  it("are the clique and the ids of a device of the host, by libvirt's alias too", () => {
    const hostdev =
      "<hostdev mode='subsystem' type='pci'><source><address bus='0x18' slot='0'/></source></hostdev>";
    const properties =
      property("x-nv-gpudirect-clique", "unsigned", "3") +
      property("x-pci-vendor-id", "unsigned", "4318") +
      property("x-pci-device-id", "unsigned", "9008");
    const text = domain(override("hostdev0", properties), { devices: hostdev });
    expect(imported(text).profile.passthrough?.devices).toEqual([
      { address: "0000:18:00.0", clique: 3, identity: { vendor: "10de", device: "2330" } },
    ]);
  });

  it("are told when no key is one", () => {
    const { report } = imported(domain(override("net0", property("x-txburst", "unsigned", "many"))));
    expect(told(report, "dropped")).toEqual([
      expect.stringMatching(/^override\/device\/frontend\/property: no key/),
    ]);
    const wrong = domain(override("ua-rp_-a", property("slot", "unsigned", "many")), { devices: port });
    expect(told(imported(wrong).report, "dropped")).toEqual([
      'override/device/frontend/property: "many" is no number',
    ]);
  });
});

it("entries of the firmware's device that libvirt would cut at a comma come back as such", () => {
  const args = (...values: string[]) => values.map((value) => `<qemu:arg value='${value}'/>`).join("");
  const text = domain(
    `<qemu:commandline>${args("-fw_cfg", "name=opt/a,string=x,,y", "-fw_cfg", "name=opt/b,file=/b", "-fw_cfg", "name=opt/c,gen_id=d")}</qemu:commandline>`,
  );
  const { profile } = imported(text);
  expect(profile).toMatchObject({
    fwCfg: [
      { name: "opt/a", string: "x,y" },
      { name: "opt/b", file: "/b" },
    ],
    extraArgs: ["-fw_cfg", "name=opt/c,gen_id=d"],
  });
});
