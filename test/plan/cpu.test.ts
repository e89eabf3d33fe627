import { describe, expect, it } from "vitest";
import { device, plan, problems, values } from "./planning.ts";

const smp = (changes: object) => values(plan(changes), "smp")[0];
const cells = (...cpus: string[]) => ({
  memory: { size: `${cpus.length}G` },
  numa: { cells: cpus.map((set) => ({ cpus: set, memory: "1G" })) },
});

describe("topology", () => {
  it.each([
    ["one socket without cells", { cpus: { boot: 6 } }, "sockets=1,dies=1,cores=6,threads=1"],
    [
      "a socket for each cell",
      { cpus: { boot: 6 }, ...cells("0-2", "3-5") },
      "sockets=2,dies=1,cores=3,threads=1",
    ],
    [
      "cells without vCPUs not counted",
      { cpus: { boot: 6 }, ...cells("0-2", "", "3-5") },
      "sockets=2,dies=1,cores=3,threads=1",
    ],
    [
      "one where they do not divide",
      { cpus: { boot: 5 }, ...cells("0-2", "3-4") },
      "sockets=1,dies=1,cores=5,threads=1",
    ],
    [
      "the profile's",
      { cpus: { boot: 8, topology: { dies: 2, cores: 2, threads: 2 } } },
      "sockets=1,dies=2,cores=2,threads=2",
    ],
  ])("%s", (_, changes, expected) => expect(smp(changes)).toContain(expected));

  it("counts threads first, then cores, dies and sockets", () => {
    const { vcpus } = plan({
      cpus: { boot: 16, topology: { sockets: 2, dies: 2, cores: 2, threads: 2 } },
    }).placement;
    expect(vcpus[11]).toMatchObject({ socket: 1, die: 0, core: 1, thread: 1 });
    expect(vcpus[13]).toMatchObject({ socket: 1, die: 1, core: 0, thread: 1 });
  });

  it.each([
    [
      { boot: 4, topology: { cores: 3 } },
      "CPU_TOPOLOGY cpus.topology: 1 sockets x 1 dies x 3 cores x 1 threads = 3 vCPUs; 4, as cpus.boot says",
    ],
    [
      { boot: 2, max: 4, topology: { cores: 2 } },
      "CPU_TOPOLOGY cpus.topology: 1 sockets x 1 dies x 2 cores x 1 threads = 2 vCPUs; 4, as cpus.max says",
    ],
    [
      { boot: 8, max: 4 },
      "CPU_BOOT_ABOVE_MAX cpus.boot: 8 vCPUs at boot, 4 at most; boot no higher than max",
    ],
  ])("refuses %j", (cpus, problem) => expect(problems({ cpus })).toEqual([problem]));
});

describe("vCPUs at boot", () => {
  it("are devices with ids, but the first", () => {
    const planned = plan({ cpus: { boot: 3, topology: { cores: 3 } } });
    expect(values(planned, "smp")).toEqual(["1,maxcpus=3,sockets=1,dies=1,cores=3,threads=1"]);
    expect(device(planned, "cpu2")).toBe("max-x86_64-cpu,id=cpu2,socket-id=0,die-id=0,core-id=2,thread-id=0");
    expect(device(planned, "cpu0")).toBeUndefined();
    expect(planned.placement.vcpus.map((vcpu) => vcpu.deviceId)).toEqual([undefined, "cpu1", "cpu2"]);
  });

  it("are level over the cells when fewer than the maximum", () => {
    const { vcpus } = plan({ cpus: { boot: 2, max: 8 }, ...cells("0-3", "4-7") }).placement;
    expect(vcpus.filter((vcpu) => vcpu.boot).map((vcpu) => vcpu.id)).toEqual([0, 4]);
  });

  it("are made by -smp when they are not to be removed", () => {
    const planned = plan({ cpus: { boot: 3, max: 4, hotpluggable: false } });
    expect(values(planned, "smp")[0]).toMatch(/^3,maxcpus=4/);
    expect(values(planned, "device").some((value) => value.includes("-cpu,"))).toBe(false);
    expect(planned.placement.vcpus.filter((vcpu) => vcpu.boot).map((vcpu) => vcpu.id)).toEqual([0, 1, 2]);
  });

  it("keep their names even before they are there", () => {
    const disks = [{ id: "cpu3", file: "/d", format: "raw" }];
    expect(problems({ cpus: { boot: 1, max: 4 }, disks })[0]).toMatch(
      /^ID_DUPLICATE disks\[0\]\.id: the device "cpu3"/,
    );
    expect(problems({ cpus: { boot: 1, max: 3 }, disks })).toEqual([]);
  });
});

describe("the model", () => {
  it("has the profile's features and address width", () => {
    const cpus = {
      boot: 1,
      model: "EPYC",
      features: { svm: false, "model-id": "A = B", level: 13 },
      physicalBits: 44,
    };
    expect(values(plan({ cpus }), "cpu")).toEqual(["EPYC,svm=off,model-id=A = B,level=13,phys-bits=44"]);
    expect(values(plan({ cpus: { boot: 1, physicalBits: "host" } }), "cpu")).toEqual([
      "max,host-phys-bits=on",
    ]);
  });

  it.each([
    [
      { model: "no-such" },
      'QEMU_FEATURE cpus.model: this QEMU has no CPU model "no-such"; host, max, or one of QEMU\'s models',
    ],
    [
      { features: { "model-id": "A, B" } },
      'ARGV_BYTE cpus.features.model-id: a comma in "A, B"; text without commas: -cpu alone of QEMU\'s options cannot carry one',
    ],
    [
      { features: { kvm: false, hypervisor: true } },
      "CPU_HIDDEN_HYPERVISOR cpus.features: kvm off together with hypervisor on; features that do not contradict each other",
    ],
  ])("refuses %j", (changes, problem) =>
    expect(problems({ cpus: { boot: 1, ...changes } })).toEqual([problem]),
  );

  it("is not the host's under TCG", () => {
    expect(problems({ machine: { accel: "tcg" }, cpus: { boot: 1, model: "host" } })).toEqual([
      'HOST_KVM cpus.model: CPU model "host" with TCG; KVM, which alone can pass the host\'s processor through',
    ]);
  });
});
