import { expect, it } from "vitest";
import { plan, problems } from "./planning.ts";

it("is automatic as soon as a cell is bound, and none otherwise", () => {
  const numa = { cells: [{ cpus: "0-1", memory: "1G", hostNodes: "0" }] };
  expect(plan({ numa }).placement.vcpus.map((vcpu) => vcpu.hostCpus)).toEqual([[0], [1]]);
  expect(plan().placement.vcpus.map((vcpu) => vcpu.hostCpus)).toEqual([undefined, undefined]);
  const none = plan({ numa, pinning: { vcpus: "none" } });
  expect(none.placement.vcpus.map((vcpu) => vcpu.hostCpus)).toEqual([undefined, undefined]);
});

it("leaves QEMU's own threads to the scheduler unless vCPUs are placed automatically", () => {
  expect(plan({ pinning: { vcpus: { "0": "0" } } }).placement.emulator).toBeUndefined();
  expect(plan({ pinning: { emulator: "3" } }).placement.emulator).toEqual([3]);
});

it("says by set who runs where", () => {
  const { decisions } = plan({ pinning: { vcpus: { "0": "0-3", "1": "7" }, reserve: "5" } });
  expect(decisions.find(({ id }) => id === "pinning.vcpus")).toMatchObject({
    value: "0 on 0-3; 1 on 7",
    facts: ["host CPU 5 is reserved for the host"],
  });
});

it("warns about reserved CPUs that are not there: nothing is lost", () => {
  expect(problems({ pinning: { reserve: "0,9" } })).toEqual([
    "(warning) HOST_CPU_ABSENT pinning.reserve: host CPU 9 does not exist; online CPUs of this host: 0-7",
  ]);
});

it.each([
  [{ emulator: "7" }, "HOST_CPU_ABSENT pinning.emulator: host CPU 7 is offline"],
  [{ emulator: "" }, "PROFILE_VALUE pinning.emulator: an empty set of host CPUs"],
  [{ iothreads: { io: "24" } }, "HOST_CPU_ABSENT pinning.iothreads.io: host CPU 24 does not exist"],
  [{ iothreads: { io: "" } }, "PROFILE_VALUE pinning.iothreads.io: an empty set of host CPUs"],
  [
    { iothreads: { oi: "1" } },
    'PINNING_UNKNOWN_IOTHREAD pinning.iothreads.oi: a pin for the I/O thread "oi"; one of io',
  ],
])("refuses %j", (pinning, problem) => {
  expect(problems({ iothreads: ["io"], pinning }, { host: "sparse" })[0]).toContain(problem);
});

it("takes an I/O thread's name for a name, whatever objects have in JavaScript", () => {
  const { iothreads } = plan({ iothreads: ["constructor", "toString"] }).placement;
  expect(iothreads).toEqual([
    { id: "constructor", hostCpus: undefined },
    { id: "toString", hostCpus: undefined },
  ]);
});

it.each([
  [{ vcpus: "auto", granularity: "node" }, "threadPolicy isolate with granularity node"],
  [{ vcpus: "none" }, "threadPolicy isolate with pins that are not automatic"],
])("warns of a thread policy that changes nothing: %j", (pinning, found) => {
  expect(problems({ pinning: { threadPolicy: "isolate", ...pinning } })).toEqual([
    `(warning) PROFILE_VALUE pinning.threadPolicy: ${found}; automatic pins with granularity thread, or it changes nothing`,
  ]);
});
