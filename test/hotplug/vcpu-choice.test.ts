import { describe, expect, it } from "vitest";
import { chooseVcpus, type PresentVcpus, type VcpuWish } from "../../src/hotplug/vcpu-choice.ts";
import { fourCells } from "./placement.ts";

const all = fourCells.vcpus.map(({ id }) => id);
const sixteen: PresentVcpus = { vcpus: all, fixed: [0] };
const four: PresentVcpus = { vcpus: [0, 1, 4, 5], fixed: [0] };

function choose(present: PresentVcpus, wish: Partial<VcpuWish>) {
  const result = chooseVcpus(fourCells, present, {
    count: undefined,
    vcpus: undefined,
    spread: "balanced",
    ...wish,
  });
  return result.ok ? result.value : result.diagnostics.map(({ code, found }) => `${code}: ${found}`);
}

describe("a number", () => {
  it("adds the lowest first and removes the highest first", () => {
    expect(choose(four, { count: 8 })).toEqual({
      vcpus: [0, 1, 4, 5, 8, 9, 12, 13],
      add: [8, 9, 12, 13],
      remove: [],
    });
    expect(choose(sixteen, { count: 8 })).toEqual({
      vcpus: [0, 1, 4, 5, 8, 9, 12, 13],
      add: [],
      remove: [15, 14, 11, 10, 7, 6, 3, 2],
    });
  });

  it("takes from the end with tail", () => {
    expect(choose(sixteen, { count: 12, spread: "tail" })).toMatchObject({ remove: [15, 14, 13, 12] });
  });

  it("does nothing when it is the same", () => {
    expect(choose(four, { count: 4 })).toEqual({ vcpus: four.vcpus, add: [], remove: [] });
  });

  it.each([
    [0, "LIVE_VCPU_COUNT: 0 vCPUs asked for"],
    [-1, "LIVE_VCPU_COUNT: -1 vCPUs asked for"],
    [17, "LIVE_VCPU_COUNT: 17 vCPUs asked for"],
  ])("refuses %i", (count, problem) => {
    expect(choose(four, { count })).toEqual([problem]);
  });

  it("refuses fewer than -smp made", () => {
    expect(choose({ vcpus: [0, 1, 2, 3], fixed: [0, 1, 2, 3] }, { count: 2 })).toEqual([
      "LIVE_VCPU_FIXED: 2 vCPUs asked for, and vCPUs 0-3 cannot be removed: -smp made them",
    ]);
  });
});

describe("--vcpu", () => {
  it("names all that the guest has afterwards, and may both add and remove", () => {
    expect(choose(four, { vcpus: [0, 1, 2, 3] })).toEqual({
      vcpus: [0, 1, 2, 3],
      add: [2, 3],
      remove: [5, 4],
    });
  });

  it("agrees with a number", () => {
    expect(choose(four, { count: 2, vcpus: [0, 1] })).toMatchObject({ remove: [5, 4] });
    expect(choose(four, { count: 3, vcpus: [0, 1] })).toEqual([
      "LIVE_VCPU_CHOICE: 3 vCPUs, and --vcpu names 2: 0-1",
    ]);
  });

  it("tells everything that is wrong with the names at once", () => {
    expect(choose(four, { vcpus: [1, 16, 20] })).toEqual([
      "LIVE_VCPU_CHOICE: --vcpu names vCPU 16,20",
      "LIVE_VCPU_FIXED: --vcpu names 1,16,20, without vCPU 0",
    ]);
  });

  it("keeps those that -smp made", () => {
    expect(choose({ vcpus: [0, 1, 2, 3], fixed: [0, 1, 2, 3] }, { vcpus: [0, 4] })).toEqual([
      "LIVE_VCPU_FIXED: vCPU 1-3 would have to go, and -smp made it",
    ]);
  });
});
