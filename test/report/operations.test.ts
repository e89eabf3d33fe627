import { describe, expect, it } from "vitest";
import type { OperationSummary, SetVcpusOutcome } from "../../src/hotplug/index.ts";
import { renderDrift, renderOperation, renderOperations, renderSetVcpus } from "../../src/report/index.ts";
import { plain } from "./style.ts";

const pending: OperationSummary = {
  format: 1,
  id: "2",
  kind: "setvcpus",
  subject: "16 to 8 vCPUs",
  request: {},
  state: "accepted",
  history: [
    { state: "requested", atMs: 0, note: "" },
    { state: "accepted", atMs: 1000, note: "" },
  ],
  worker: null,
  problem: null,
  activity: "cut-off",
};
const failed: OperationSummary = {
  ...pending,
  id: "1",
  state: "failed",
  activity: "ended",
  history: [{ state: "failed", atMs: 0, note: "no" }],
  problem: {
    code: "QMP_ERROR",
    severity: "error",
    path: [],
    found: "QEMU said no",
    needed: "yes",
    fix: "ask",
  },
};

it("lists operations, and why some failed", () => {
  expect(renderOperations([failed, pending], plain)).toEqual([
    "id  kind      what           state               since                     note",
    " 1  setvcpus  16 to 8 vCPUs  failed              1970-01-01T00:00:00.000Z  no",
    " 2  setvcpus  16 to 8 vCPUs  accepted (cut off)  1970-01-01T00:00:01.000Z  -",
    "",
    "1: QMP_ERROR QEMU said no; ask",
  ]);
  expect(renderOperations([], plain)).toEqual(["no operation"]);
  expect(renderOperation(failed)).toBe("operation 1 (16 to 8 vCPUs): failed; no");
});

it("lists what differs from the plan", () => {
  expect(renderDrift([], plain)).toEqual(["everything is as planned"]);
  expect(
    renderDrift(
      [
        { what: "vCPU 4", planned: "absent at the start", found: "present", operation: "3" },
        { what: "vCPU 2, thread 77", planned: "host CPU 2", found: "host CPU 0-3", operation: undefined },
      ],
      plain,
    ),
  ).toEqual([
    "what               planned              found         by operation",
    "vCPU 4             absent at the start  present                  3",
    "vCPU 2, thread 77  host CPU 2           host CPU 0-3             -",
  ]);
});

describe("setvcpus", () => {
  const outcome: SetVcpusOutcome = {
    name: "gpu",
    vcpus: [0, 1, 4, 5],
    added: [4, 5],
    removed: [],
    guestRuns: undefined,
    broughtOnline: false,
    operation: { ...pending, state: "done" },
  };

  it("says what the guest has to do where nobody does it", () => {
    expect(renderSetVcpus(outcome)).toEqual([
      "gpu has 4 vCPUs: 0-1,4-5; 4-5 added",
      "the guest brings new vCPUs online itself; without a rule for it, in the guest:",
      expect.stringContaining('ATTR{online}="1"'),
      expect.stringContaining("guestAgent.online: true"),
    ]);
    expect(renderSetVcpus({ ...outcome, guestRuns: 2 })).toHaveLength(5);
  });

  it("says what the guest runs where it does", () => {
    expect(renderSetVcpus({ ...outcome, guestRuns: 4 })).toEqual([
      "gpu has 4 vCPUs: 0-1,4-5; 4-5 added",
      "the guest runs 4 of them",
    ]);
  });

  it("says that it goes on, or that there was nothing to do", () => {
    expect(renderSetVcpus({ ...outcome, vcpus: [0], added: [], operation: pending })).toEqual([
      "gpu has 1 vCPU: 0",
      "operation 2 is accepted: qlaunch ops gpu shows it, qlaunch ops resume gpu goes on",
    ]);
    expect(renderSetVcpus({ ...outcome, added: [], operation: undefined })).toEqual([
      "gpu has 4 vCPUs: 0-1,4-5; it had them already",
    ]);
  });
});
