import { expect, it } from "vitest";
import { describeTaking, takenAtStart, takingSeconds } from "../../src/plan/taken-memory.ts";
import { plan } from "./planning.ts";

const gibibyte = 2 ** 30;
const cells = [
  { cpus: "0", memory: "32G", hostNodes: "0" },
  { cpus: "1", memory: "32G" },
];
const memory = { size: "64G", max: "200G", slots: 2 };
const taken = (changes: object) =>
  takenAtStart(plan({ memory: { ...memory, ...changes }, numa: { cells } }, { host: "sparse" }));

it("is what is preallocated, by its threads", () => {
  expect(taken({ prealloc: true, preallocThreads: 8 })).toEqual([
    { memdev: "ram-node0", bytes: 32 * gibibyte, hostNodes: [0], threads: 8 },
    { memdev: "ram-node1", bytes: 32 * gibibyte, hostNodes: undefined, threads: 8 },
  ]);
  expect(taken({})).toEqual([]);
});

it("is all by one thread when it is locked", () => {
  expect(taken({ locked: true }).map(({ memdev, threads }) => [memdev, threads])).toEqual([
    ["ram-node0", 1],
    ["ram-node1", 1],
  ]);
});

it("has DIMMs, and not what the guest takes by itself", () => {
  const devices = [
    { id: "dimm0", size: "2G", cell: 0 },
    { id: "grows", kind: "virtio-mem", size: "2G", cell: 0 },
  ];
  expect(taken({ prealloc: true, devices }).map(({ memdev }) => memdev)).toEqual([
    "ram-node0",
    "ram-node1",
    "ram-dimm0",
  ]);
});

it("takes a second for each GiB of a thread", () => {
  expect(takingSeconds([{ bytes: 64 * gibibyte, threads: 8 }])).toBe(8);
  expect(describeTaking([{ bytes: gibibyte / 2, threads: 1 }])).toBe("under 1 s");
  expect(
    describeTaking([
      { bytes: 64 * gibibyte, threads: 8 },
      { bytes: 32 * gibibyte, threads: 1 },
    ]),
  ).toBe("about 40 s");
  expect(describeTaking([{ bytes: 1800 * gibibyte, threads: 16 }])).toBe("about 2 min");
});
