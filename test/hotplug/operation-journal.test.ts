import { expect, it } from "vitest";
import { OperationJournal } from "../../src/hotplug/operation-journal.ts";
import { readOperation } from "../../src/hotplug/operation-store.ts";
import { realSystem } from "../../src/system/index.ts";
import { request, runDirectory } from "./operation.ts";

const read = (directory: string) => readOperation(realSystem.files, directory, "1");

it("has every change in the file at once", () => {
  const directory = runDirectory();
  const journal = OperationJournal.create(realSystem, directory, request);
  expect(read(directory)).toMatchObject({ state: "requested", worker: { pid: process.pid } });
  journal.enter("accepted");
  expect(read(directory).state).toBe("accepted");
  journal.remember({ known: [1, 2] });
  expect(read(directory).request).toEqual({ ...request.request, known: [1, 2] });
  journal.enter("done", "all there");
  expect(read(directory)).toMatchObject({ state: "done", worker: null });
  expect(read(directory).history.map(({ state, note }) => [state, note])).toEqual([
    ["requested", ""],
    ["accepted", ""],
    ["done", "all there"],
  ]);
});

it("notes the same state again only with something to say", () => {
  const directory = runDirectory();
  const journal = OperationJournal.create(realSystem, directory, request);
  journal.enter("accepted");
  journal.enter("accepted");
  journal.enter("accepted", "one left");
  expect(read(directory).history).toHaveLength(3);
});

it("keeps the state when it is left, and says whose it is when it is taken up", () => {
  const directory = runDirectory();
  const journal = OperationJournal.create(realSystem, directory, request);
  journal.enter("accepted");
  journal.leave();
  expect(read(directory)).toMatchObject({ state: "accepted", worker: null });
  OperationJournal.takeUp(realSystem, directory, read(directory));
  expect(read(directory)).toMatchObject({ state: "accepted", worker: { pid: process.pid } });
});

it("ends with the problem", () => {
  const directory = runDirectory();
  const journal = OperationJournal.create(realSystem, directory, request);
  const problem = {
    code: "QMP_ERROR",
    severity: "error",
    path: [],
    found: "no",
    needed: "yes",
    fix: "ask",
  } as const;
  journal.fail("failed", problem);
  expect(read(directory)).toMatchObject({ state: "failed", worker: null, problem: { code: "QMP_ERROR" } });
});
