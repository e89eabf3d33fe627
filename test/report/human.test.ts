import { describe, expect, it } from "vitest";
import type { Event } from "../../src/events/event.ts";
import { humanRenderer } from "../../src/report/index.ts";
import { colourless, plain, terminal } from "./style.ts";

const started: Event = { type: "step-started", step: "start QEMU" };
const ended: Event = { type: "step-ended", step: "start QEMU", elapsedMs: 212.3, summary: "pid 4242" };
const waiting = (elapsedMs: number): Event => ({
  type: "waiting",
  step: "prepare memory",
  elapsedMs,
  reason: "12 of 64 GiB",
});

const taking = (elapsedMs: number, more: object = {}): Event => ({
  type: "memory-progress",
  step: "wait for QEMU",
  elapsedMs,
  bytes: 3 * 2 ** 30,
  totalBytes: 12 * 2 ** 30,
  nodes: [
    { node: 0, bytes: 2 ** 31, totalBytes: 6 * 2 ** 30 },
    { node: 1, bytes: 2 ** 30, totalBytes: 6 * 2 ** 30 },
  ],
  remainingMs: 3 * elapsedMs,
  ...more,
});

describe("on a pipe", () => {
  it("a step is one ASCII line when it ends", () => {
    const render = humanRenderer(plain);
    expect([started, ended].map(render)).toEqual([
      "",
      "ok start QEMU                  pid 4242                                212 ms\n",
    ]);
  });

  it("a wait is told at most once in 10 s", () => {
    const render = humanRenderer(plain);
    const times = [100, 1000, 9000, 10_100, 15_000, 20_099, 20_100];
    expect(times.filter((elapsedMs) => render(waiting(elapsedMs)) !== "")).toEqual([100, 10_100, 20_100]);
    expect(humanRenderer(plain)(waiting(12_340))).toBe("  prepare memory: 12 of 64 GiB, 12.3 s\n");
  });

  it("memory that is taken is one line in 10 s", () => {
    const render = humanRenderer(plain);
    expect(render(taking(2000))).toBe(
      "  wait for QEMU: 3 GiB of 12 GiB of memory in place, 2.0 s, about 6.0 s left; node 0: 2 GiB of 6 GiB; node 1: 1 GiB of 6 GiB\n",
    );
    expect(render(taking(11_000))).toBe("");
    const nodes = [{ node: 3, bytes: 2 ** 20 }];
    expect(render(taking(12_000, { nodes, remainingMs: undefined }))).toBe(
      "  wait for QEMU: 3 GiB of 12 GiB of memory in place, 12.0 s; node 3: 1 MiB\n",
    );
  });

  it("a step that begins again is waited for anew", () => {
    const render = humanRenderer(plain);
    render(waiting(100));
    render({ type: "step-started", step: "prepare memory" });
    expect(render(waiting(200))).not.toBe("");
  });

  it("failures, undoing, notices and QEMU's events are lines", () => {
    const render = humanRenderer(plain);
    const events: Event[] = [
      { type: "step-failed", step: "pin vCPUs", elapsedMs: 3 },
      { type: "step-undone", step: "start QEMU" },
      { type: "step-undone", step: "bind devices", problem: "device busy" },
      { type: "notice", level: "info", message: "KVM cannot be used" },
      { type: "notice", level: "warning", message: "slow" },
      { type: "qmp-event", name: "SHUTDOWN", data: { guest: true }, timestampMs: 0 },
    ];
    expect(events.map(render).join("").split("\n")).toEqual([
      "no pin vCPUs                   failed                                    3 ms",
      "-- undone: start QEMU",
      "no undone: bind devices  device busy",
      "note: KVM cannot be used",
      "warning: slow",
      '1970-01-01T00:00:00.000Z  SHUTDOWN  {"guest":true}',
      "",
    ]);
  });

  it("nothing in a text of others can move the cursor", () => {
    const render = humanRenderer(plain);
    const text = render({ type: "notice", level: "info", message: "a\u001b[2Jb" });
    expect(text).toBe("note: a [2Jb\n");
  });
});

describe("on a terminal", () => {
  const clear = "\r\u001b[2K";

  it("the step at work is on a line that the result replaces", () => {
    const render = humanRenderer(colourless(80));
    expect(render(started)).toBe(`${clear}  start QEMU ...`);
    expect(render(waiting(1000))).toBe(`${clear}  prepare memory: 12 of 64 GiB, 1.0 s`);
    expect(render(waiting(1100))).toBe(`${clear}  prepare memory: 12 of 64 GiB, 1.1 s`);
    const result = render(ended);
    expect(result.startsWith(clear)).toBe(true);
    expect(result.slice(clear.length)).toMatch(/^✓ start QEMU .* 212 ms\n$/);
    expect(render(ended)).toMatch(/^✓/);
  });

  it("memory that is taken has a line for each node, which the next text replaces", () => {
    const up = `\u001b[1A${clear}`;
    const render = humanRenderer(colourless(80));
    render(started);
    const first = render(taking(2000));
    expect(first).toBe(
      [
        `${clear}  wait for QEMU: 3 GiB of 12 GiB of memory in place, 2.0 s, about 6.0 s left`,
        "    node 0: 2 GiB of 6 GiB",
        "    node 1: 1 GiB of 6 GiB",
      ].join("\n"),
    );
    expect(render(taking(3000)).startsWith(`${clear}${up}${up}  wait for QEMU`)).toBe(true);
    expect(render(ended).startsWith(`${clear}${up}${up}✓`)).toBe(true);
    expect(render(ended)).toMatch(/^✓/);
  });

  it("the line at work never wraps", () => {
    const render = humanRenderer(colourless(20));
    expect(render({ ...started, step: "s".repeat(100) } as Event).slice(clear.length)).toHaveLength(19);
  });

  it("results are coloured", () => {
    expect(humanRenderer(terminal(80))(ended)).toContain("\u001b[32m✓\u001b[39m");
  });
});
