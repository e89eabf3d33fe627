import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { advance } from "../../src/hotplug/operation.ts";
import {
  createOperation,
  listOperations,
  readOperation,
  writeOperation,
} from "../../src/hotplug/operation-store.ts";
import { realSystem } from "../../src/system/index.ts";
import { request, runDirectory } from "./operation.ts";

const { files } = realSystem;
const made = { worker: { pid: 1, startTimeTicks: 2 }, atMs: 1000 };

it("numbers operations in the order of asking, and reads them back", () => {
  const directory = runDirectory();
  expect(listOperations(files, directory)).toEqual([]);
  const first = createOperation(files, directory, request, made);
  for (let number = 2; number <= 11; number++) createOperation(files, directory, request, made);
  expect(first).toMatchObject({ id: "1", state: "requested", worker: made.worker, problem: null });
  expect(listOperations(files, directory).map(({ id }) => id)).toEqual([..."123456789", "10", "11"]);
  expect(readOperation(files, directory, "1")).toEqual(first);
});

it("is for the owner's eyes, and leaves no half-written file", () => {
  const directory = runDirectory();
  createOperation(files, directory, request, made);
  expect(statSync(join(directory, "operations")).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "operations/1.json")).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(directory, "operations"))).toEqual(["1.json"]);
});

it("tells which operations there are when one is unknown", () => {
  const directory = runDirectory();
  createOperation(files, directory, request, made);
  for (const id of ["2", "01", "../1", ""]) {
    expect(() => readOperation(files, directory, id)).toThrow(/LIVE_OPERATION_UNKNOWN/);
  }
});

it.each([
  ["not JSON", "{"],
  ["another format", '{"format": 2}'],
  ["an unknown state", undefined],
])("trusts no file with %s", (_what, text) => {
  const directory = runDirectory();
  const file = join(directory, "operations/1.json");
  createOperation(files, directory, request, made);
  writeFileSync(file, text ?? readFileSync(file, "utf8").replaceAll("requested", "finished"));
  expect(() => listOperations(files, directory)).toThrow(/RUN_DIRECTORY.*1\.json cannot be used/);
});

it("forgets the oldest that ended, and none that is pending", () => {
  const directory = runDirectory();
  createOperation(files, directory, request, made);
  for (let number = 0; number < 105; number++) {
    const operation = createOperation(files, directory, request, made);
    writeOperation(files, directory, advance(operation, "done", 2000, ""));
  }
  const kept = listOperations(files, directory);
  expect(kept.filter(({ state }) => state === "done").length).toBeLessThanOrEqual(101);
  expect(kept[0]).toMatchObject({ id: "1", state: "requested" });
  expect(kept.at(-1)?.id).toBe("106");
});
