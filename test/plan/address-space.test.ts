import { describe, expect, it } from "vitest";
import type { Host } from "../../src/host/index.ts";
import { plan, problems, recordedHost } from "./planning.ts";

/** A laptop with this much memory and these addresses. */
const hostWith = (bits: number, vendor = "GenuineIntel"): Host => {
  const laptop = recordedHost("laptop");
  return {
    ...laptop,
    processor: { ...laptop.processor, vendor, physicalAddressBits: bits },
    nodes: laptop.nodes.map((node) => ({ ...node, memoryBytes: 2 ** 44, freeBytes: 2 ** 44 })),
  };
};
const tooLarge = (changes: object, host: Host) =>
  problems(changes, { host }).filter((problem) => problem.startsWith("HOST_ADDRESS_BITS"));
const refused = (changes: object, host: Host) => tooLarge(changes, host).length > 0;
const tcg = { accel: "tcg" };
const intel = { boot: 1, features: { vendor: "GenuineIntel" } };

// QEMU 7.2 and 10.0 start each guest on the left, and refuse each on the right with "phys-bits too low (40)".
describe.each<[string, object, object]>([
  ["memory", { memory: { size: "990G" } }, { memory: { size: "991G" } }],
  [
    "room for more, a GiB for each slot",
    { memory: { size: "1G", max: "980G", slots: 9 } },
    { memory: { size: "1G", max: "980G", slots: 10 } },
  ],
  ["the window", { pcie: { mmio64: "1020G" } }, { pcie: { mmio64: "1021G" } }],
  [
    "a guest just above the low memory",
    { memory: { size: "3G" }, pcie: { mmio64: "1019G" } },
    { memory: { size: "3G" }, pcie: { mmio64: "1020G" } },
  ],
])("%s, in 40 bits", (_, fits, tooMuch) => {
  const host = hostWith(46);
  it("fits", () => expect(tooLarge({ machine: tcg, cpus: intel, ...fits }, host)).toEqual([]));
  it("does not fit", () => expect(refused({ machine: tcg, cpus: intel, ...tooMuch }, host)).toBe(true));
});

describe("an AMD guest that reaches the HyperTransport range", () => {
  const guest = (size: string, cpus: object) => ({
    machine: tcg,
    cpus: { boot: 1, ...cpus },
    memory: { size },
  });

  it("has its memory above 1 TiB", () => {
    expect(refused(guest("978G", {}), hostWith(46))).toBe(false);
    expect(refused(guest("979G", {}), hostWith(46))).toBe(true);
    expect(refused(guest("979G", { model: "EPYC" }), hostWith(46))).toBe(true);
    expect(refused(guest("979G", { model: "Skylake-Server" }), hostWith(46))).toBe(false);
  });

  it("is one whose processor says so, wherever it runs", () => {
    const siblings = { boot: 2, topology: { threads: 2 } };
    expect(refused(guest("979G", siblings), hostWith(46))).toBe(false);
    const onKvm = { cpus: { boot: 1 }, memory: { size: "979G" } };
    expect(refused(onKvm, hostWith(40, "AuthenticAMD"))).toBe(true);
    expect(refused(onKvm, hostWith(40))).toBe(false);
  });
});

describe("the width", () => {
  it("is the host's for host and max under KVM", () => {
    expect(refused({ memory: { size: "479G" } }, hostWith(39))).toBe(true);
    expect(refused({ memory: { size: "478G" } }, hostWith(39))).toBe(false);
    expect(refused({ memory: { size: "2T" } }, hostWith(46))).toBe(false);
  });

  it("is 40 bits for named models, unless the profile asks for the host's", () => {
    const named = { boot: 1, model: "Skylake-Server" };
    expect(tooLarge({ cpus: named, memory: { size: "2T" } }, hostWith(46))).toEqual([
      "HOST_ADDRESS_BITS memory.size: memory, room for more and the 64-bit window of PCI devices end at 2.0 TiB, and addresses of 40 bits end at 1 TiB: memory is the first beyond; an end of 1 TiB or less",
    ]);
    expect(refused({ cpus: { ...named, physicalBits: "host" }, memory: { size: "2T" } }, hostWith(46))).toBe(
      false,
    );
  });

  it("is never above the host's under KVM", () => {
    const wide = { boot: 1, physicalBits: 46 };
    expect(refused({ cpus: wide, memory: { size: "2T" } }, hostWith(39))).toBe(true);
    expect(refused({ machine: tcg, cpus: wide, memory: { size: "2T" } }, hostWith(39))).toBe(false);
  });
});

it("is explained", () => {
  const decision = plan().decisions.find(({ id }) => id === "memory.addresses");
  expect(decision).toMatchObject({ value: "up to 36 GiB of 512 GiB" });
});
