import { describe, expect, it } from "vitest";
import type { Holding } from "../../src/host/index.ts";
import { type Obstacle, whyNot } from "../../src/plan/why-not.ts";
import { profileSchema } from "../../src/profile/schema.ts";
import { places, recordedHost } from "./planning.ts";

const holds = (vm: string, ...exclusiveCpus: number[]): Holding => ({ vm, exclusiveCpus });
const nameOf = (obstacle: Obstacle) => (obstacle.kind === "vm" ? obstacle.holding.vm : obstacle.key);

/** The sets by name, or the kind of the answer. The laptop has eight CPUs, 0/4 to 3/7. */
function ask(vcpus: number, ledger: readonly Holding[], pinning: object = {}, given: object = {}) {
  const profile = profileSchema.parse({
    version: 1,
    name: "vm",
    machine: { accel: "kvm" },
    cpus: { boot: vcpus },
    memory: { size: "1G" },
    pinning: { vcpus: "auto", ...pinning },
    ...given,
  });
  const answer = whyNot({ profile, host: recordedHost("laptop"), ledger, places });
  if (answer.kind === "never") return answer.diagnostics.map(({ code }) => code);
  return answer.kind === "fits" ? "fits" : answer.sets.map((set) => set.map(nameOf));
}

describe("what stands in the way", () => {
  it("is nothing where the guest fits", () => expect(ask(2, [holds("a", 0)])).toBe("fits"));

  it("is the one guest that has enough, whatever else runs", () => {
    expect(ask(4, [holds("a", 0), holds("b", 1, 2, 3, 5), holds("c", 4)])).toEqual([["b"]]);
  });

  it("is any of those that would do", () => {
    expect(ask(6, [holds("a", 0, 1), holds("b", 2, 3)])).toEqual([["a"], ["b"]]);
  });

  it("is several where one is not enough", () => {
    expect(ask(7, [holds("a", 0), holds("b", 1), holds("c", 2, 3)])).toEqual([
      ["a", "c"],
      ["b", "c"],
    ]);
    expect(ask(8, [holds("a", 0), holds("b", 1)])).toEqual([["a", "b"]]);
  });

  it("may be a wish of the profile", () => {
    expect(ask(3, [holds("a", 4, 5)], { threadPolicy: "isolate" })).toEqual([
      ["pinning.threadPolicy"],
      ["a"],
    ]);
    expect(ask(7, [], { reserve: "first-core" })).toEqual([["pinning.reserve"]]);
  });

  it("is told as the profile's own problems where it fits nowhere", () => {
    expect(ask(9, [holds("a", 0)])).toEqual(["HOST_CPUS_SHORT"]);
    expect(ask(2, [], {}, { memory: { size: "64T" } })).toContain("HOST_MEMORY_SHORT");
  });

  it("is found among many guests", () => {
    const many = Array.from({ length: 40 }, (_, index) => holds(`vm${index}`, index % 8));
    expect(ask(8, many)).toHaveLength(1);
  });
});
