import { expect, it } from "vitest";
import type { Decision, Plan } from "../../src/plan/index.ts";
import type { P2pPair } from "../../src/plan/p2p.ts";
import { renderExplanation, renderPlanJson } from "../../src/report/index.ts";
import { plain } from "./style.ts";

const decision = (id: string, concern: Decision["concern"], facts: string[] = []): Decision => ({
  id,
  concern,
  value: `${id} decided`,
  rule: "Because.",
  facts,
  source: "https://example.org",
});

const plan: Plan = {
  name: "vm",
  uuid: undefined,
  program: "qemu-system-x86_64",
  options: [],
  decisions: [
    decision("cpu.model", "cpu", ["accelerator kvm"]),
    decision("cpu.smp", "cpu"),
    decision("numa.cell0", "numa"),
  ],
  placement: { cells: [], memoryDevices: [], vcpus: [], emulator: undefined, iothreads: [] },
  devices: [],
  run: {
    directory: "/run",
    pidFile: "",
    logFile: "",
    qmpSocket: "",
    monitorSocket: "",
    consoles: [],
    copies: [],
    helpers: [],
    files: [],
    bridges: [],
    taps: [],
    user: undefined,
    openFiles: undefined,
    lockedBytes: 0,
    passthrough: [],
  },
};

const pair: P2pPair = {
  devices: ["0000:01:00.0", "0000:02:00.0"],
  relation: "switch",
  routes: ["direct", "direct"],
  reasons: [],
};

it("every decision with its rule, facts, source and options, by concern", () => {
  const options = [
    { words: ["-cpu", "host"], because: ["cpu.model"] },
    { words: ["-smp", "4"], because: ["cpu.smp", "cpu.model"] },
  ];
  expect(renderExplanation(plan, options, [], plain)).toEqual([
    "cpu",
    "  cpu.model = cpu.model decided",
    "    rule: Because.",
    "    fact: accelerator kvm",
    "    source: https://example.org",
    "    -cpu host",
    "  cpu.smp = cpu.smp decided",
    "    rule: Because.",
    "    source: https://example.org",
    "    -smp 4  (also cpu.model)",
    "",
    "numa",
    "  numa.cell0 = numa.cell0 decided",
    "    rule: Because.",
    "    source: https://example.org",
  ]);
});

it("an option without a known decision is shown all the same", () => {
  const lines = renderExplanation(plan, [{ words: ["-x"], because: ["nothing"] }], [], plain);
  expect(lines.slice(-2)).toEqual(["without a decision", "    -x"]);
});

it("the table of P2P is the last part", () => {
  expect(renderExplanation(plan, [], [pair], plain).slice(-6)[0]).toMatch(/^P2P: /);
});

it("the plan as JSON has the command line, the decisions, the placement and the table of P2P", () => {
  const { decisions, placement, devices } = plan;
  expect(JSON.parse(renderPlanJson(plan, ["-S"], [pair]))).toEqual(
    JSON.parse(JSON.stringify({ name: "vm", argv: ["-S"], decisions, placement, devices, p2p: [pair] })),
  );
});
