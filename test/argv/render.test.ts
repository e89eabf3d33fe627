import { describe, expect, it } from "vitest";
import { argvItems, renderArgv } from "../../src/argv/index.ts";
import { plan } from "../plan/planning.ts";
import { planOf, spell } from "./spell.ts";

describe("each option", () => {
  it.each<[Parameters<typeof spell>[0], string]>([
    [{ option: "S" }, "-S"],
    [{ option: "nodefaults" }, "-nodefaults"],
    [{ option: "no-user-config" }, "-no-user-config"],
    [{ option: "display", value: "none" }, "-display none"],
    [{ option: "kernel", value: "/a,b=c d" }, "-kernel /a,b=c d"],
    [{ option: "initrd", value: "/a,b" }, "-initrd /a,b"],
    [{ option: "append", value: "console=ttyS0,115200" }, "-append console=ttyS0,115200"],
    [{ option: "pidfile", value: "/a,b" }, "-pidfile /a,b"],
    [{ option: "vnc", value: "unix:/a,b" }, "-vnc unix:/a,,b"],
    [{ option: "drive", properties: { if: "pflash", file: "/a,b" } }, "-drive if=pflash,file=/a,,b"],
    [
      { option: "global", properties: { driver: "d", property: "p", value: 1 } },
      "-global driver=d,property=p,value=1",
    ],
    [
      { option: "smbios", properties: { type: 11, value: ["a", "b,c"] } },
      "-smbios type=11,value=a,value=b,,c",
    ],
    [
      { option: "machine", type: "q35", properties: { accel: "kvm", hpet: false } },
      "-machine q35,accel=kvm,hpet=off",
    ],
    [{ option: "cpu", model: "max", properties: { svm: true } }, "-cpu max,svm=on"],
    [
      { option: "smp", cpus: 1, maxcpus: 8, sockets: 2, dies: 1, cores: 2, threads: 2 },
      "-smp 1,maxcpus=8,sockets=2,dies=1,cores=2,threads=2",
    ],
    [{ option: "m", sizeBytes: 2 ** 30, slots: 0, maxBytes: 2 ** 30 }, "-m size=1G"],
    [{ option: "m", sizeBytes: 2 ** 30, slots: 4, maxBytes: 2 ** 30 }, "-m size=1G"],
    [
      { option: "m", sizeBytes: 1536 * 2 ** 20, slots: 4, maxBytes: 2 ** 32 },
      "-m size=1536M,slots=4,maxmem=4G",
    ],
    [{ option: "m", sizeBytes: 2 ** 30, slots: 0, maxBytes: 2 ** 32 }, "-m size=1G,maxmem=4G"],
    [{ option: "object", qomType: "iothread", id: "io", properties: {} }, "-object iothread,id=io"],
    [
      { option: "numa-node", nodeId: 1, cpus: [4, 5, 8], memdev: "m" },
      "-numa node,nodeid=1,cpus=4-5,cpus=8,memdev=m",
    ],
    [{ option: "numa-node", nodeId: 0, cpus: [], memdev: undefined }, "-numa node,nodeid=0"],
    [{ option: "numa-dist", source: 0, destination: 1, value: 21 }, "-numa dist,src=0,dst=1,val=21"],
    [{ option: "device", driver: "nvme", id: "d", properties: { bus: "rp" } }, "-device nvme,id=d,bus=rp"],
    [{ option: "device", driver: "intel-iommu", id: undefined, properties: {} }, "-device intel-iommu"],
    [
      { option: "blockdev", driver: "file", nodeName: "n", properties: { filename: "/a,b" } },
      "-blockdev driver=file,node-name=n,filename=/a,,b",
    ],
    [
      { option: "netdev", type: "user", id: "n", properties: { hostfwd: ["tcp::1-:1", "tcp::2-:2"] } },
      "-netdev user,id=n,hostfwd=tcp::1-:1,hostfwd=tcp::2-:2",
    ],
    [{ option: "chardev", backend: "socket", id: "c", properties: { fd: 3 } }, "-chardev socket,id=c,fd=3"],
    [
      { option: "fsdev", driver: "local", id: "f", properties: { path: "/a,b" } },
      "-fsdev local,id=f,path=/a,,b",
    ],
    [
      { option: "tpmdev", type: "emulator", id: "t", properties: { chardev: "c" } },
      "-tpmdev emulator,id=t,chardev=c",
    ],
    [{ option: "sandbox", properties: { spawn: "deny" } }, "-sandbox on,spawn=deny"],
    [{ option: "qmp", chardev: "c" }, "-qmp chardev:c"],
    [{ option: "extra", arguments: ["-x", "a,b"] }, "-x a,b"],
  ])("%j", (option, words) => expect(spell(option)).toBe(words));
});

describe("the order", () => {
  it("puts back ends before what uses them, and extraArgs last", () => {
    const planned = planOf(
      { option: "extra", arguments: ["-x"] },
      { option: "device", driver: "nvme", id: "d", properties: { drive: "n" } },
      { option: "qmp", chardev: "c" },
      { option: "blockdev", driver: "file", nodeName: "n", properties: {} },
      { option: "chardev", backend: "null", id: "c", properties: {} },
      { option: "S" },
      { option: "machine", type: "q35", properties: {} },
    );
    expect(renderArgv(planned).filter((word) => word.startsWith("-"))).toEqual([
      "-machine",
      "-chardev",
      "-qmp",
      "-blockdev",
      "-device",
      "-S",
      "-x",
    ]);
  });

  it("keeps the plan's among options of one kind", () => {
    const device = (id: string) => ({ option: "device", driver: "nvme", id, properties: {} }) as const;
    const planned = planOf(device("b"), { option: "S" }, device("a"));
    expect(renderArgv(planned)).toEqual(["-device", "nvme,id=b", "-device", "nvme,id=a", "-S"]);
  });

  it("does not change the plan", () => {
    const planned = plan();
    const before = structuredClone(planned.options);
    renderArgv(planned);
    expect(planned.options).toEqual(before);
  });
});

it("keeps the decisions behind each option", () => {
  for (const item of argvItems(plan())) expect(item.because.length).toBeGreaterThan(0);
});

it.each(["\n", "\r", "\0"])("refuses %j wherever it comes from", (byte) => {
  for (const option of [
    { option: "append", value: byte },
    { option: "vnc", value: byte },
    { option: "extra", arguments: [byte] },
    { option: "device", driver: "nvme", id: "d", properties: { serial: byte } },
  ] as const) {
    expect(() => spell(option)).toThrow(/ARGV_BYTE/);
  }
});
