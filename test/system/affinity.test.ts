import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { afterAll, describe, expect, it } from "vitest";
import { affinity } from "../../src/system/affinity.ts";
import { affinityMask } from "../../src/system/affinity-mask.ts";
import { pinByPerl, pinByTaskset } from "../../src/system/affinity-programs.ts";
import { processes } from "../../src/system/processes.ts";
import { runNow } from "../../src/system/run-now.ts";
import type { Processes, ThreadAffinity } from "../../src/system/system.ts";

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill();
});

/** Beyond every pid that the kernel gives. */
const nobody = 4_194_999;

it("writes a set of CPUs as the kernel has it", () => {
  expect([...affinityMask([0])]).toEqual([1, 0, 0, 0, 0, 0, 0, 0]);
  expect([...affinityMask([1, 9, 63])]).toEqual([2, 2, 0, 0, 0, 0, 0, 0x80]);
  expect([...affinityMask([64])]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
  expect(affinityMask([])).toHaveLength(8);
});

describe.each([
  ["perl", (pins: readonly ThreadAffinity[]) => pinByPerl({ run: runNow }, pins)],
  ["taskset", (pins: readonly ThreadAffinity[]) => pinByTaskset({ run: runNow }, pins)],
  ["what this runtime has", (pins: readonly ThreadAffinity[]) => affinity.set(pins)],
])("pinning by %s", (_, set) => {
  it("pins each where it belongs, whatever becomes of the others", async () => {
    const last = availableParallelism() - 1;
    const [first, second] = [start(), start()];
    const pins = [
      { threadId: first, cpus: [0] },
      { threadId: nobody, cpus: [0] },
      { threadId: second, cpus: [8_000] },
      { threadId: second, cpus: [last] },
    ];
    expect(await set(pins)).toEqual([
      { threadId: nobody, code: "ESRCH" },
      { threadId: second, code: "EINVAL" },
    ]);
    expect(allowed(first)).toBe("0");
    expect(allowed(second)).toBe(String(last));
  });
});

it("starts one program for many threads, and none for none", async () => {
  const started: string[] = [];
  const counting: Pick<Processes, "run"> = {
    run: (program, ...rest) => {
      started.push(program);
      return processes.run(program, ...rest);
    },
  };
  const threads = Array.from({ length: 3 }, () => ({ threadId: start(), cpus: [0] }));
  expect(await pinByPerl(counting, threads)).toEqual([]);
  expect(started).toEqual(["perl"]);
  expect(await affinity.set([])).toEqual([]);
});

it("gives way to taskset where perl does not run to its end", async () => {
  const broken = async () => ({ exitCode: 2, signal: undefined, stdout: "", stderr: "" });
  expect(await pinByPerl({ run: broken }, [{ threadId: 1, cpus: [0] }])).toBeUndefined();
});

function start(): number {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  children.push(child);
  return child.pid as number;
}

function allowed(pid: number): string | undefined {
  return /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
}
