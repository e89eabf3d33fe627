import { describe, expect, it } from "vitest";
import type { Event } from "../../src/events/event.ts";
import { realSystem, SystemError } from "../../src/system/index.ts";
import { type UndoEntry, unwind } from "../../src/vm/undo.ts";

/** Notes what is removed; one path refuses. */
function system(removed: string[]) {
  const remove = (path: string) => {
    if (path === "/stuck") throw new SystemError("EBUSY", "device or resource busy");
    removed.push(path);
  };
  return { ...realSystem, files: { ...realSystem.files, remove, list: () => [] } };
}

const remove = (path: string): UndoEntry => ({ step: `make ${path}`, action: { do: "remove", path } });

describe("taking back", () => {
  it("goes in reverse, and tells each", async () => {
    const removed: string[] = [];
    const events: Event[] = [];
    expect(
      await unwind(system(removed), [remove("/a"), remove("/b")], (event) => events.push(event)),
    ).toEqual([]);
    expect(removed).toEqual(["/b", "/a"]);
    expect(events).toEqual([
      { type: "step-undone", step: "make /b" },
      { type: "step-undone", step: "make /a" },
    ]);
  });

  it("goes on after a failure, but keeps the files that tell of what is left", async () => {
    const removed: string[] = [];
    const gone: UndoEntry = {
      step: "start it",
      action: { do: "end-process", process: { pid: 1, startTimeTicks: -1 }, marks: [] },
    };
    const problems = await unwind(system(removed), [remove("/dir"), gone, remove("/stuck"), gone], () => {});
    expect(removed).toEqual([]);
    expect(problems).toEqual(["make /stuck: device or resource busy", "make /dir: kept /dir"]);
  });
});
