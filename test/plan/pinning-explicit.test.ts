import { describe, expect, it } from "vitest";
import { plan, problems, type World } from "./planning.ts";

const pinned = (vcpus: Record<string, string>, more: object = {}) => ({
  cpus: { boot: 4 },
  pinning: { vcpus, ...more },
});
const sparse: World = { host: "sparse" };

it("takes the profile's sets as they are", () => {
  const { vcpus } = plan(pinned({ "0-1": "0-3", "3": "7" })).placement;
  expect(vcpus.map((vcpu) => [vcpu.hostCpus, vcpu.exclusive])).toEqual([
    [[0, 1, 2, 3], false],
    [[0, 1, 2, 3], false],
    [undefined, false],
    [[7], true],
  ]);
});

it.each([
  [
    "a host CPU that does not exist",
    { "0": "24" },
    'HOST_CPU_ABSENT pinning.vcpus["0"]: host CPU 24 does not exist; online CPUs of this host: 0-6,8-18,20-22',
  ],
  [
    "one that is offline",
    { "0": "7,19" },
    'HOST_CPU_ABSENT pinning.vcpus["0"]: host CPU 7,19 is offline; online CPUs of this host: 0-6,8-18,20-22',
  ],
  [
    "both",
    { "0": "7,99" },
    'HOST_CPU_ABSENT pinning.vcpus["0"]: host CPU 99 does not exist, host CPU 7 is offline; online CPUs of this host: 0-6,8-18,20-22',
  ],
  [
    "a vCPU beyond the last",
    { "3-5": "0-3" },
    'PINNING_BEYOND_MAX pinning.vcpus["3-5"]: a pin for vCPU 4-5, and the guest has 0-3; vCPUs below 4',
  ],
  [
    "a vCPU with two pins",
    { "0-1": "0-1", "1-2": "2-3" },
    'PINNING_CPU_TWICE pinning.vcpus["1-2"]: vCPU 1 is pinned twice; one set of host CPUs for each vCPU',
  ],
  [
    "two vCPUs on one host CPU",
    { "0": "4", "1": "4" },
    "PINNING_CPU_TWICE pinning.vcpus: vCPUs 0-1 are pinned to host CPU 4: 2 vCPUs on 1 CPU; a host CPU for each vCPU, or they take turns",
  ],
  [
    "three on a set of two",
    { "0-2": "4-5" },
    'PINNING_CPU_TWICE pinning.vcpus["0-2"]: vCPUs 0-2 are pinned to host CPU 4-5: 3 vCPUs on 2 CPUs; a host CPU for each vCPU, or they take turns',
  ],
  [
    "an empty set",
    { "0": "" },
    'PROFILE_VALUE pinning.vcpus["0"]: an empty set of host CPUs; at least one, or a thread could run nowhere',
  ],
  [
    "a key that is no list",
    { "3-1": "0" },
    'PROFILE_VALUE pinning.vcpus["3-1"]: "3-1", which names no vCPU; vCPU numbers and ascending ranges such as "0" or "0-3"',
  ],
  [
    "a key without vCPUs",
    { "^1": "0" },
    'PROFILE_VALUE pinning.vcpus["^1"]: "^1", which names no vCPU; vCPU numbers and ascending ranges such as "0" or "0-3"',
  ],
])("refuses %s", (_, vcpus, problem) => expect(problems(pinned(vcpus), sparse)).toEqual([problem]));

it("lets vCPUs share sets in which each can have a CPU, however they overlap", () => {
  expect(problems(pinned({ "0": "0-1", "1": "1-2", "2": "2-3", "3": "3,0" }))).toEqual([]);
});

it("accepts sharing when the profile says so, and then no CPU is anybody's own", () => {
  const { vcpus } = plan(pinned({ "0": "4", "1": "4" }, { overcommit: true })).placement;
  expect(vcpus.map((vcpu) => vcpu.exclusive)).toEqual([false, false, false, false]);
});

describe("beside other VMs", () => {
  const ledger = [
    { vm: "one", exclusiveCpus: [0, 1] },
    { vm: "two", exclusiveCpus: [2] },
  ];

  it("refuses a CPU that another VM has for itself", () => {
    expect(problems(pinned({ "0": "2" }), { ledger })).toEqual([
      'HOST_CPUS_SHORT pinning.vcpus["0"]: vCPU 0 on host CPU 2, of which two has 2: 1 vCPU on 0 free CPUs; a host CPU for each vCPU that no other VM has for itself',
    ]);
  });

  it("counts what they leave of a set", () => {
    expect(problems(pinned({ "0": "0-3" }), { ledger })).toEqual([]);
    expect(problems(pinned({ "0-1": "0-3" }), { ledger })).toEqual([
      'HOST_CPUS_SHORT pinning.vcpus["0-1"]: vCPU 0-1 on host CPU 0-3, of which one has 0-1 and two has 2: 2 vCPUs on 1 free CPU; a host CPU for each vCPU that no other VM has for itself',
    ]);
  });

  it("tells of every one", () => {
    expect(problems(pinned({ "0": "0", "1": "3", "2": "2" }), { ledger })).toEqual([
      "HOST_CPUS_SHORT pinning.vcpus: vCPU 0,2 on host CPU 0,2, of which one has 0 and two has 2: 2 vCPUs on 0 free CPUs; a host CPU for each vCPU that no other VM has for itself",
    ]);
  });

  it("accepts it when the profile says so", () => {
    expect(problems(pinned({ "0": "2" }, { overcommit: true }), { ledger })).toEqual([]);
  });
});

it("warns about vCPUs that may run away from their memory", () => {
  const numa = { cells: [{ cpus: "0-3", memory: "1G", hostNodes: "0" }] };
  expect(problems({ ...pinned({ "0-1": "0-3", "2-3": "3-4" }), numa }, sparse)).toEqual([
    '(warning) HOST_NODE_ABSENT pinning.vcpus["2-3"]: vCPU 2-3 may run on host CPU 4, away from the memory of cell 0 on host node 0; host CPUs of that node: 0-3,12-15',
  ]);
  const memoryOnly = { cells: [{ cpus: "0-3", memory: "1G", hostNodes: "5" }] };
  expect(problems({ ...pinned({ "0-3": "0-3" }), numa: memoryOnly }, sparse)).toEqual([]);
});
