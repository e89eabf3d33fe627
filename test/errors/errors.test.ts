import { describe, expect, it } from "vitest";
import {
  codes,
  type Diagnostic,
  exitStatusOf,
  failure,
  formatJsonPath,
  QlaunchError,
  refusal,
  success,
  unreachable,
} from "../../src/errors/index.ts";

const problem = (code: Diagnostic["code"]): Diagnostic => ({
  code,
  severity: "error",
  path: [],
  found: "something",
  needed: "something else",
  fix: "change it",
});

describe("formatJsonPath", () => {
  it.each([
    [[], "(profile)"],
    [["numa"], "numa"],
    [["numa", "cells", 0, "memory"], "numa.cells[0].memory"],
    [["pinning", "vcpus", "0-3"], 'pinning.vcpus["0-3"]'],
    [["cpus", "features", "model-id"], "cpus.features.model-id"],
    [["a b", 'q"'], '["a b"]["q\\""]'],
  ])("%j is %s", (path, text) => expect(formatJsonPath(path)).toBe(text));
});

describe("QlaunchError", () => {
  it("ends the program by the most telling problem", () => {
    expect(exitStatusOf([problem("HOST_KVM")])).toBe(1);
    expect(exitStatusOf([problem("HOST_KVM"), problem("CPU_TOPOLOGY")])).toBe(2);
    expect(exitStatusOf([problem("BUG"), problem("CPU_TOPOLOGY")])).toBe(70);
    expect(exitStatusOf([])).toBe(1);
  });

  it("says what every problem is", () => {
    const error = new QlaunchError([problem("HOST_KVM"), problem("CPU_TOPOLOGY")]);
    expect(error.message).toBe("HOST_KVM: something\nCPU_TOPOLOGY: something");
  });

  it("keeps its cause, and the words of others", () => {
    const cause = new Error("deeper");
    const error = refusal(
      "QEMU_ABSENT",
      { found: "no", needed: "yes", fix: "do", detail: "qemu: said" },
      { cause },
    );
    expect(error.cause).toBe(cause);
    expect(error.diagnostics).toEqual([
      {
        code: "QEMU_ABSENT",
        severity: "error",
        path: [],
        found: "no",
        needed: "yes",
        fix: "do",
        detail: "qemu: said",
      },
    ]);
  });
});

it("results are values or problems", () => {
  expect(success(1)).toEqual({ ok: true, value: 1, warnings: [] });
  expect(failure([problem("BUG")])).toMatchObject({ ok: false });
});

it("what cannot be is told", () => {
  expect(() => unreachable("odd" as never)).toThrow('unexpected "odd"');
});

it("every code has a title of its own and an exit status that is documented", () => {
  const titles = Object.values(codes).map((info) => info.title);
  expect(new Set(titles).size).toBe(titles.length);
  for (const { title, exitStatus } of Object.values(codes)) {
    expect(title).toMatch(/^\S.*[^.]$/);
    expect([1, 2, 70]).toContain(exitStatus);
  }
});
