import { expect, it } from "vitest";
import { QlaunchError } from "../../src/errors/index.ts";
import type { AffinityFailure } from "../../src/system/index.ts";
import { verifyPins } from "../../src/vm/affinity.ts";
import { fakeSystem } from "../rig/fake-system.ts";

const { files } = fakeSystem({
  "/proc/100/task/100/status": "Name:\tqemu\nCpus_allowed_list:\t0-3\n",
  "/proc/100/task/101/status": "Name:\tqemu\nCpus_allowed_list:\t2\n",
});

it("is content with threads that are where they belong", () => {
  expect(problems([{ threadId: 101, what: "vCPU 0", hostCpus: [2] }])).toEqual([]);
});

it("is content with a worker that has ended since, and not with a vCPU", () => {
  expect(problems([{ threadId: 102, what: "QEMU's thread 102", hostCpus: [2] }])).toEqual([]);
  expect(problems([{ threadId: 102, what: "vCPU 1", hostCpus: [2] }])).toEqual([
    expect.objectContaining({ code: "VM_PIN_FAILED", found: "vCPU 1 has no thread 102" }),
  ]);
});

it.each([
  ["EINVAL", /cpuset\.cpus\.effective/],
  ["EPERM", /run it as root, or as the user that QEMU runs as/],
  ["ESRCH", /qlaunch logs/],
])("names %s of the kernel, and what helps", (code, fix) => {
  const pins = [
    { threadId: 101, what: "vCPU 0", hostCpus: [2] },
    { threadId: 100, what: "QEMU itself", hostCpus: [9] },
  ];
  const [problem, ...others] = problems(pins, [{ threadId: 100, code }]);
  expect(others).toEqual([]);
  expect(problem).toMatchObject({
    code: "VM_PIN_FAILED",
    found: "QEMU itself (thread 100) may run on host CPUs 0-3",
    needed: "host CPUs 9",
    fix: expect.stringMatching(fix),
    detail: `sched_setaffinity of thread 100: ${code}`,
  });
});

function problems(pins: Parameters<typeof verifyPins>[2], failures: readonly AffinityFailure[] = []) {
  try {
    verifyPins(files, 100, pins, failures);
    return [];
  } catch (error) {
    if (!(error instanceof QlaunchError)) throw error;
    return error.diagnostics;
  }
}
