import { expect, it } from "vitest";
import { QlaunchError } from "../../src/errors/index.ts";
import type { Event } from "../../src/events/event.ts";
import { Answers } from "../../src/rehearse/index.ts";

function listen(...lines: readonly unknown[]): { answers: Answers; events: Event[] } {
  const events: Event[] = [];
  const answers = new Answers((event) => events.push(event));
  for (const line of lines) answers.take(typeof line === "string" ? line : JSON.stringify(line));
  return { answers, events };
}

function problem(act: () => unknown): QlaunchError {
  try {
    act();
  } catch (error) {
    if (error instanceof QlaunchError) return error;
  }
  throw new Error("no problem was told");
}

const step = { type: "step-started", step: "bind devices" };
const result = { type: "result", verification: { rows: [] }, devices: [], drivers: [] };

it("events are passed on as they come, and the report is kept for the end", () => {
  const { answers, events } = listen("words of others", step, '{"type":"broken', result);
  expect(events).toEqual([step]);
  expect(answers.result(0)).toEqual(result);
});

it("problems there are problems here, with the words of those who know", () => {
  const found = { code: "HOST_IOMMU_GROUP", severity: "error", path: [], found: "a", needed: "b", fix: "c" };
  const { answers } = listen("a word", {
    type: "problems",
    diagnostics: [found, found],
    log: ["console:", "panic"],
  });
  expect(problem(() => answers.result(0)).diagnostics).toEqual([
    { ...found, detail: "on the simulated host:\nconsole:\npanic\na word" },
    found,
  ]);
});

it("no report is told by how it ended, with the last words", () => {
  const { answers } = listen("Error: something", "    at line 1");
  expect(problem(() => answers.result(70)).diagnostics).toMatchObject([
    {
      code: "REHEARSE_HOST",
      found: "qlaunch ended with 70 there",
      detail: "Error: something\n    at line 1",
    },
  ]);
});

it.each([124, 137])(
  "what was cut off by its time (%i) is told as that, whatever it said about it",
  (status) => {
    const late = [{ found: "the rehearsal was not over in time", fix: "give it more time with --timeout" }];
    const found = { code: "VM_START_FAILED", severity: "error", path: [], found: "a", needed: "b", fix: "c" };
    const { answers } = listen({ type: "problems", diagnostics: [found], log: ["console:"] });
    expect(problem(() => answers.result(status)).diagnostics).toMatchObject([
      { ...late[0], detail: "console:" },
    ]);
    expect(problem(() => listen().answers.result(status)).diagnostics).toMatchObject(late);
  },
);
